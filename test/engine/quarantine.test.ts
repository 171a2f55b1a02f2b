import { afterEach, expect, test } from 'vitest'
import { LoneEngine } from './lone-engine.ts'
import { toldFile } from './played-peer.ts'

/** Rule 9: more than a thousand differing files of one that joins are put aside, here alone. */

let synd: LoneEngine

afterEach(async () => {
  await synd.stop()
})

/** Joins with so many files of its own that b has with other contents. */
async function join(count: number): Promise<void> {
  synd = await LoneEngine.start()
  synd.hands.mkdir('d')
  for (let n = 0; n < count; n++) synd.hands.write(`d/${n}`, `ours ${n}`)
  const b = synd.peer('b')
  b.connect()
  for (let n = 0; n < count; n++) b.announce(toldFile(`d/${n}`, `theirs ${n}`))
  await synd.pass(30_000)
}

const aside = (): ReadonlyMap<string, string> => synd.hands.tree('.synd/quarantine')

const listed = (): string[] =>
  synd.status.problems.map(({ code, path, message }) => `${code} ${path} ${message.split(' ')[0]}`)

test('rule 9: up to a thousand files that differ become conflict copies, and nothing is put aside', async () => {
  await join(1_000)
  expect(synd.status.conflicts).toHaveLength(1_000)
  expect(synd.hands.tree('.synd').has('.synd/quarantine')).toBe(false)
  expect(listed()).toEqual([])
})

test('rule 9: the rest is put into .synd/quarantine under its path, listed with how many, and announced to nobody', async () => {
  await join(1_200)
  expect(synd.status.conflicts).toHaveLength(1_000)
  const files = [...aside()].filter(([, shown]) => shown.startsWith('f '))
  expect(files).toHaveLength(200)
  for (const [path, shown] of files) {
    const name = path.slice('.synd/quarantine/'.length)
    expect(shown).toBe(`f 644 ours ${name.slice('d/'.length)}`)
    expect(synd.hands.read(name)).toBe(`theirs ${name.slice('d/'.length)}`)
  }
  expect(listed()).toEqual(['quarantined null 200'])
  const told = synd.peer('b').heard.flatMap(({ entries }) => entries)
  expect(told.filter(({ entry }) => entry.path.includes('.sync-conflict-'))).toHaveLength(1_000)
  expect(synd.status.volume.files).toBe(2_200)
})

test('rule 9: what is in quarantine is listed after a restart, and until somebody took it away', async () => {
  await join(1_010)
  expect(listed()).toEqual(['quarantined null 10'])
  synd = await LoneEngine.start({}, await synd.stop())
  await synd.pass(1_000)
  expect(listed()).toEqual(['quarantined null 10'])
  synd.hands.remove('.synd/quarantine')
  await synd.pass(400_000)
  expect(listed()).toEqual([])
})
