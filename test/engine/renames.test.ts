import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Entry } from '../../src/core/entry.ts'
import { directory, tombstone } from '../core/build.ts'
import { LoneEngine } from './lone-engine.ts'
import { toldFile, type PlayedPeer } from './played-peer.ts'

/** Rule 15: a rename is never a delete first, here as there. */

let synd: LoneEngine
let b: PlayedPeer

beforeEach(async () => {
  synd = await LoneEngine.start()
  b = synd.peer('b')
  b.connect()
  await synd.pass(1_000)
})

afterEach(async () => {
  await synd.stop()
})

const numbers = Array.from({ length: 300 }, (_, n) => n)

/** `+path` and `-path` as b heard them since it had heard `from` announcements. */
function heardSince(from: number): string[] {
  const entries = b.heard.slice(from).flatMap((announcement) => announcement.entries)
  return entries.map(({ entry }) => `${entry.kind === 'tombstone' ? '-' : '+'}${entry.path}`)
}

describe('rule 15: what is done here', () => {
  test('a renamed directory is announced under its new name before it is gone under the old', async () => {
    synd.hands.mkdir('before')
    for (const n of numbers) synd.hands.write(`before/${n}`, `content ${n}`)
    await synd.pass(3_000)
    const from = b.heard.length
    synd.hands.rename('before', 'after')
    await synd.pass(3_000)
    const heard = heardSince(from)
    expect(heard).toHaveLength(602)
    expect(heard.slice(0, 301).every((one) => one.startsWith('+after'))).toBe(true)
    expect(heard.slice(301).every((one) => one.startsWith('-before'))).toBe(true)
  })

  test('a file that is removed and written again a moment later is never deleted', async () => {
    synd.hands.write('x', 'one')
    await synd.pass(3_000)
    const from = b.heard.length
    synd.hands.remove('x')
    await synd.pass(30)
    synd.hands.write('x', 'two')
    await synd.pass(3_000)
    expect(heardSince(from)).toEqual(['+x'])
  })

  test('a delete is announced within a second', async () => {
    synd.hands.write('x', 'one')
    await synd.pass(3_000)
    const from = b.heard.length
    synd.hands.remove('x')
    await synd.pass(1_000)
    expect(heardSince(from)).toEqual(['-x'])
  })
})

describe('rule 15: what is done there', () => {
  test('a rename moves no content, though its deletes are known as soon as its new names', async () => {
    b.announce(directory({ path: 'before', version: 'b1', by: 'b1' }))
    b.announce(...numbers.map((n) => toldFile(`before/${n}`, `content ${n}`)))
    await synd.pass(5_000)
    const pulls = synd.transfer.pulls.length
    const deleted: Entry[] = numbers.map((n) => {
      const [known] = toldFile(`before/${n}`, `content ${n}`)
      const gone = tombstone({ path: known.path, version: 'b3', by: 'b3' })
      return { ...gone, removedDigest: known.kind === 'file' ? known.digest : null }
    })
    b.announce(directory({ path: 'after', version: 'b2', by: 'b2', mode: 0o755 }))
    b.announce(...numbers.map((n) => toldFile(`after/${n}`, `content ${n}`, 'b2')))
    b.announce(...deleted)
    await synd.pass(10_000)
    expect(synd.transfer.pulls.slice(pulls)).toEqual([])
    expect(synd.tree.filter((one) => one.startsWith('after/'))).toHaveLength(300)
    expect(synd.tree.filter((one) => one.startsWith('before/'))).toEqual([])
  })
})
