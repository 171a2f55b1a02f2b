import { afterEach, beforeEach, expect, test } from 'vitest'
import { directory } from '../core/build.ts'
import { LoneEngine } from './lone-engine.ts'
import { path } from './parts.ts'
import { toldFile, type PlayedPeer } from './played-peer.ts'

/** Rule 12: a directory's mtime is a hint. */

const thereUs = 1_600_000_000_123_456

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

const made = (version: string, mtimeUs = thereUs) =>
  directory({ path: 'd', version, by: version, mode: 0o755, mtimeUs })

function timeUs(): number {
  return Number((synd.host.disk.attach({}).lstat('d')?.mtimeNs ?? 0n) / 1000n)
}

test('rule 12: a directory that a peer made gets the time that it had there, when it has been quiet for 2 s', async () => {
  b.announce(made('b1'))
  for (let n = 0; n < 5; n++) {
    b.announce(toldFile(`d/${n}`, `${n}`))
    await synd.pass(1_500)
    expect(timeUs()).not.toBe(thereUs)
  }
  await synd.pass(5_000)
  expect(timeUs()).toBe(thereUs)
})

test('rule 12: it is set once: what comes later moves it as anywhere', async () => {
  b.announce(made('b1'))
  await synd.pass(5_000)
  expect(timeUs()).toBe(thereUs)
  b.announce(toldFile('d/later', 'later'))
  await synd.pass(60_000)
  expect(timeUs()).toBeGreaterThan(thereUs)
})

test('rule 12: what people do in it here keeps it from being quiet', async () => {
  b.announce(made('b1'))
  await synd.pass(1_000)
  synd.hands.write('d/ours', 'ours')
  await synd.pass(1_500)
  expect(timeUs()).not.toBe(thereUs)
  await synd.pass(5_000)
  expect(timeUs()).toBe(thereUs)
})

test('rule 12: it is no version, is announced to nobody, and no digest knows it', async () => {
  b.announce(made('b1'))
  await synd.pass(5_000)
  b.acknowledge()
  b.settle()
  await synd.pass(100)
  const [heard, digest, sequence] = [
    b.heard.length,
    synd.status.volume.treeDigest,
    synd.host.store.get(path('d'))?.sequence,
  ]
  synd.hands.setMtime('d', 1_500_000_000_000_000)
  await synd.pass(400_000)
  expect(b.heard).toHaveLength(heard)
  expect(synd.status.volume.treeDigest).toBe(digest)
  expect(synd.host.store.get(path('d'))?.sequence).toBe(sequence)
  expect(synd.status.inSync).toBe(true)
  expect(timeUs()).toBe(1_500_000_000_000_000)
})

test('rule 12: another time of the same directory is nothing that a peer has to do', async () => {
  b.announce(made('b1'))
  await synd.pass(5_000)
  b.announce(made('b1', thereUs + 1_000_000))
  await synd.pass(5_000)
  expect(timeUs()).toBe(thereUs)
  expect(b.appliedUpTo).toBe(2)
})
