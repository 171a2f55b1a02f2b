import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nastyNames } from '../support/nasty-names.ts'
import { Cluster } from './cluster.ts'

let cluster: Cluster

beforeAll(async () => {
  cluster = await Cluster.make(['alpha', 'beta'])
  await cluster.start()
})

afterAll(async () => cluster.stop())

describe.each([
  ['alpha', 'beta'],
  ['beta', 'alpha'],
])('what is done on %s happens on %s', (from, to) => {
  const directory = `from-${from}`
  const at = (path: string): string => `${directory}/${path}`
  const hands = () => cluster.member(from).hands
  const there = () => cluster.member(to).hands

  beforeAll(() => hands().mkdir(directory))

  test('create, modify, append and replace', async () => {
    hands().write(at('file'), 'first')
    await cluster.untilLike(from)
    hands().write(at('file'), 'second, longer')
    await cluster.untilLike(from)
    hands().append(at('file'), ' and more')
    await cluster.untilLike(from)
    expect(there().read(at('file'))).toBe('second, longer and more')
    hands().replace(at('file'), 'another inode')
    await cluster.untilLike(from)
    expect(there().read(at('file'))).toBe('another inode')
  })

  test('deep and empty directories', async () => {
    mkdirSync(join(cluster.member(from).volume, directory, 'a/b/c/d/e/f/g'), { recursive: true })
    hands().mkdir(at('empty'))
    hands().write(at('a/b/c/d/e/f/g/leaf'), 'deep')
    await cluster.untilLike(from)
  })

  test('chmod of files and directories, and mtimes to the microsecond', async () => {
    hands().write(at('script'), '#!/bin/sh')
    hands().mkdir(at('private'))
    await cluster.untilLike(from)
    hands().chmod(at('script'), 0o750)
    hands().chmod(at('private'), 0o700)
    hands().setMtime(at('script'), 1_234_567_890_123_456)
    await cluster.untilLike(from)
  })

  test('symlinks, dangling ones too', async () => {
    hands().write(at('target'), 'x')
    hands().symlink('target', at('link'))
    hands().symlink('/nowhere/at all', at('dangling'))
    await cluster.untilLike(from)
    hands().remove(at('link'))
    hands().symlink('another', at('link'))
    await cluster.untilLike(from)
  })

  test('renames of files and directories', async () => {
    hands().mkdir(at('before'))
    for (let n = 0; n < 20; n++) hands().write(at(`before/${n}`), `content ${n} of ${from}`)
    hands().write(at('old-name'), 'stays the same')
    await cluster.untilLike(from)
    hands().rename(at('before'), at('after'))
    hands().rename(at('old-name'), at('new-name'))
    await cluster.untilLike(from)
    expect(there().read(at('after/7'))).toBe(`content 7 of ${from}`)
  })

  test('deletes of files and trees', async () => {
    mkdirSync(join(cluster.member(from).volume, directory, 'tree/of/directories'), {
      recursive: true,
    })
    hands().write(at('tree/of/directories/leaf'), 'leaf')
    hands().write(at('short-lived'), 'x')
    await cluster.untilLike(from)
    hands().remove(at('tree'))
    hands().remove(at('short-lived'))
    await cluster.untilLike(from)
    expect([...there().tree(directory).keys()].filter((path) => path.includes('tree'))).toEqual([])
  })

  test('a file, a directory and a link take turns at one path', async () => {
    hands().write(at('changeling'), 'a file')
    await cluster.untilLike(from)
    hands().remove(at('changeling'))
    hands().mkdir(at('changeling'))
    hands().write(at('changeling/inside'), 'inside')
    await cluster.untilLike(from)
    hands().remove(at('changeling'))
    hands().symlink('elsewhere', at('changeling'))
    await cluster.untilLike(from)
    hands().remove(at('changeling'))
    hands().mkdir(at('changeling'))
    await cluster.untilLike(from)
    hands().remove(at('changeling'))
    hands().write(at('changeling'), 'a file again')
    await cluster.untilLike(from)
  })

  test('zero bytes and 32 MiB', async () => {
    const { volume } = cluster.member(from)
    hands().write(at('empty-file'), '')
    const large = Buffer.alloc(32 * 1024 * 1024)
    for (let offset = 0; offset < large.length; offset += 4096)
      large.writeUInt32LE(offset ^ 0x5bd1e995, offset)
    writeFileSync(join(volume, directory, 'large'), large)
    await cluster.untilLike(from)
  })

  test('500 files at once', async () => {
    hands().mkdir(at('many'))
    for (let n = 0; n < 500; n++) hands().write(at(`many/${n}`), `${n}`.repeat(n))
    await cluster.untilLike(from)
  })

  test('every name that Linux allows, of files and of directories', async () => {
    hands().mkdir(at('names'))
    hands().mkdir(at('directories'))
    for (const name of nastyNames) {
      hands().write(at(`names/${name}`), `in ${name}`)
      hands().mkdir(at(`directories/${name}`))
      hands().write(at(`directories/${name}/${name}`), 'below')
    }
    await cluster.untilLike(from)
    for (const name of nastyNames)
      hands().write(at(`directories/${name}/${name}`), 'below, changed')
    await cluster.untilLike(from)
  })

  test('rule 18: in the end both say that they are in sync', async () => {
    await cluster.untilInSync()
    const status = await cluster.member(to).process.status()
    expect(status?.problems).toEqual([])
    expect(status?.conflicts.filter((path) => !path.includes('20261123-120000'))).toEqual([])
  })
})
