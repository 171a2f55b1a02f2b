import { afterEach, expect, test } from 'vitest'
import { conflictCopyPath } from '../../src/core/conflict.ts'
import { covers } from '../../src/core/version-vector.ts'
import { directory, file, tombstone } from '../core/build.ts'
import { LoneEngine } from './lone-engine.ts'
import { path } from './parts.ts'
import { toldFile, type PlayedPeer } from './played-peer.ts'

/** Rule 11: a live entry needs directories above it. */

let synd: LoneEngine

afterEach(async () => {
  await synd.stop()
})

/** b has told of the directory `d` and what is in it. */
async function started(...names: readonly string[]): Promise<PlayedPeer> {
  synd = await LoneEngine.start()
  const b = synd.peer('b')
  b.connect()
  b.announce(directory({ path: 'd', version: 'b1', by: 'b1', mode: 0o750 }))
  for (const name of names) b.announce(toldFile(name, name))
  await synd.pass(1_000)
  b.acknowledge()
  return b
}

const gone = {
  ...tombstone({ path: 'd', version: 'b2', by: 'b2', mode: 0o750 }),
  removedKind: 'directory',
  removedDigest: null,
} as const

test('rule 11: a directory that is deleted elsewhere stays for what nobody deleted in it, as a new version over the delete', async () => {
  const b = await started('d/theirs')
  b.hangUp()
  synd.hands.write('d/ours', 'ours')
  await synd.pass(1_000)
  b.announce(tombstone({ path: 'd/theirs', version: 'b2', by: 'b2' }), gone)
  await synd.pass(10_000)
  expect(synd.tree).toEqual(['d: d 750', 'd/ours: f 644 ours'])
  const stamped = synd.host.store.get(path('d'))?.entry
  expect(stamped?.kind).toBe('directory')
  expect(stamped !== undefined && covers(stamped.version, gone.version)).toBe(true)
})

test('rule 11: a directory that is kept so has the mode that it had when it was deleted', async () => {
  const b = await started()
  b.hangUp()
  synd.hands.write('d/ours', 'ours')
  await synd.pass(1_000)
  b.announce({ ...gone, mode: 0o711 })
  await synd.pass(10_000)
  expect(synd.tree).toEqual(['d: d 711', 'd/ours: f 644 ours'])
})

test('rule 11: and our own mode, where who deleted it had not seen that', async () => {
  const b = await started()
  b.hangUp()
  synd.hands.chmod('d', 0o700)
  synd.hands.write('d/ours', 'ours')
  await synd.pass(1_000)
  b.announce({ ...gone, mode: 0o711 })
  await synd.pass(10_000)
  expect(synd.tree).toEqual(['d: d 700', 'd/ours: f 644 ours'])
})

test('rule 11: a directory goes when all in it was deleted too, in whatever order that is told', async () => {
  const b = await started('d/a', 'd/b')
  b.announce(
    gone,
    tombstone({ path: 'd/a', version: 'b2', by: 'b2' }),
    tombstone({ path: 'd/b', version: 'b2', by: 'b2' }),
  )
  await synd.pass(10_000)
  expect(synd.tree).toEqual([])
})

test('rule 11: of very many the one that nobody deleted keeps the directory, though it is the last to be looked at', async () => {
  const names = Array.from({ length: 1_100 }, (_, n) => `d/${1_000 + n}`)
  const b = await started(...names)
  b.hangUp()
  synd.hands.write('d/ours', 'ours')
  await synd.pass(1_000)
  const deletes = names.map((name) => tombstone({ path: name, version: 'b2', by: 'b2' }))
  b.announce(gone, ...deletes.toReversed())
  await synd.pass(60_000)
  expect(synd.tree).toEqual(['d: d 750', 'd/ours: f 644 ours'])
  expect(synd.host.store.get(path('d'))?.entry.kind).toBe('directory')
})

test('rule 11: what is told before its directory waits for it, and is no malformed input', async () => {
  const b = await started()
  b.announce(toldFile('e/f', 'f'))
  await synd.pass(1_000)
  expect(synd.tree).toEqual(['d: d 750'])
  b.announce(directory({ path: 'e', version: 'b1', by: 'b1', mode: 0o755 }))
  await synd.pass(1_000)
  expect(synd.tree).toEqual(['d: d 750', 'e: d 755', 'e/f: f 644 f'])
  expect(synd.status.problems).toEqual([])
})

test('rule 11: a file gives its name to a directory, and becomes a conflict copy beside it', async () => {
  const b = await started()
  synd.hands.write('e', 'ours')
  await synd.pass(1_000)
  const ours = synd.host.store.get(path('e'))?.entry
  if (ours?.kind !== 'file') throw new Error('e is no file')
  b.announce(directory({ path: 'e', version: 'b1', by: 'b1', mode: 0o755 }), toldFile('e/f', 'f'))
  await synd.pass(10_000)
  const copy = conflictCopyPath(ours)
  expect(synd.tree).toEqual(['d: d 750', 'e: d 755', 'e/f: f 644 f', `${copy}: f 644 ours`])
})

test('rule 11: a file does not take the name of a directory that holds what nobody deleted', async () => {
  const b = await started()
  synd.hands.write('d/ours', 'ours')
  await synd.pass(1_000)
  b.announce([{ ...file({ path: 'd', version: 'b2', by: 'b2' }) }, 'theirs'])
  await synd.pass(10_000)
  expect(synd.tree).toEqual(['d: d 750', 'd/ours: f 644 ours'])
})
