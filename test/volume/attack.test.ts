import { chmodSync, lstatSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { SyndError } from '../../src/core/errors.ts'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import type { Disk } from '../../src/volume/disk.ts'
import { openFile } from '../../src/volume/opened-file.ts'
import type { SyndVolume } from '../../src/volume/volume.ts'
import { realVolume } from '../support/real-volume.ts'
import { startSwapper } from '../support/swapper.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import {
  digestOfText,
  directoryEntry,
  fileEntry,
  put,
  symlinkEntry,
} from '../support/volume-fixture.ts'

/** How often the link must have stood there, and how often everything was tried, before a test believes that nothing leads through it. */
const enoughSwaps = 10_000
const enoughTurns = 200

const secret = 'secret of somebody outside the volume'

/** A directory outside with a secret; and everything that a trespasser could have changed of it, times of change included. */
function outsideDirectory(): { path: string; state: () => string; remove: () => void } {
  const { path, remove } = temporaryDirectory()
  mkdirSync(join(path, 'sub'))
  writeFileSync(join(path, 'f'), secret)
  writeFileSync(join(path, 'secret-name'), secret)
  writeFileSync(join(path, 'sub/f'), secret)
  chmodSync(join(path, 'f'), 0o604)
  const state = (): string => {
    const lines: string[] = []
    const note = (at: string): void => {
      const { ino, mode, uid, size, mtimeNs, ctimeNs, nlink } = lstatSync(at, { bigint: true })
      lines.push([at, ino, mode, uid, size, mtimeNs, ctimeNs, nlink].join(' '))
      if (!lstatSync(at).isDirectory()) return
      for (const name of readdirSync(at).toSorted()) note(join(at, name))
    }
    note(path)
    return lines.join('\n')
  }
  return { path, state, remove }
}

/** Everything that the volume does with `d/f`, once; fails when something of outside is shown. */
async function everything(
  { disk, volume }: { disk: Disk; volume: SyndVolume },
  turn: number,
): Promise<void> {
  const d = parseRelativePath('d')
  const f = parseRelativePath('d/f')
  const listing = volume.list(d)
  if (listing.kind === 'listed')
    for (const { name } of listing.children) expect(name).not.toBe('secret-name')
  const look = volume.look(f)
  if (look.kind === 'present') {
    expect(look.observation.sizeBytes).not.toBe(secret.length)
    const digested = await volume.digest(f, look.observation)
    if (digested.kind === 'digested') expect(digested.digest).not.toBe(digestOfText(secret))
    const entry = fileEntry('d/f', `content ${turn}`, { mode: 0o600 + (turn % 8) })
    await volume.apply({ kind: 'set-metadata', entry, expected: look.observation })
  }
  const stolen = { sizeBytes: secret.length, digest: digestOfText(secret) }
  expect(await volume.stageFromLocal(f, stolen)).toBeNull()
  try {
    const opened = openFile(disk, f)
    const bytes = await opened.read(0, 1000)
    opened.close()
    expect(Buffer.from(bytes).toString()).not.toBe(secret)
  } catch (error) {
    if (!(error instanceof SyndError)) throw error
  }
  const now = volume.look(f)
  const expected = now.kind === 'present' ? now.observation : null
  const applied = await put(volume, 'd/f', { content: `content ${turn}`, expected })
  if (applied.kind === 'applied' && applied.hold !== null) await volume.releaseHolds([applied.hold])
  const made = await volume.apply({
    kind: 'make',
    entry: directoryEntry('d/sub', 0o700 + (turn % 8)),
    expected: null,
  })
  const linked = await volume.apply({
    kind: 'make',
    entry: symlinkEntry('d/l', `target ${turn}`),
    expected: null,
  })
  for (const [path, made1] of [
    ['d/sub', made],
    ['d/l', linked],
  ] as const) {
    if (made1.kind !== 'applied' || made1.observation === null) continue
    const gone = await volume.apply({
      kind: 'remove',
      path: parseRelativePath(path),
      expected: made1.observation,
    })
    if (gone.kind === 'applied' && gone.hold !== null) await volume.releaseHolds([gone.hold])
  }
  if (applied.kind === 'applied' && applied.observation !== null && turn % 5 === 0) {
    const gone = await volume.apply({ kind: 'remove', path: f, expected: applied.observation })
    if (gone.kind === 'applied' && gone.hold !== null) await volume.releaseHolds([gone.hold])
  }
  await volume.syncDirectories()
}

describe('nothing outside the volume is read, listed, written or changed (G10)', () => {
  test('while a directory of the path is swapped for a symlink', async () => {
    const outside = outsideDirectory()
    await using under = realVolume()
    const volume = await under.open()
    under.hands.mkdir('d')
    const before = outside.state()
    await using swapper = await startSwapper(join(under.path, 'd'), outside.path)
    for (let turn = 0; turn < enoughTurns || swapper.swaps() < enoughSwaps; turn++)
      await everything({ disk: under.disk, volume }, turn)
    expect(outside.state()).toBe(before)
    outside.remove()
  })

  test('while the file itself is swapped for a symlink', async () => {
    const outside = outsideDirectory()
    await using under = realVolume()
    const volume = await under.open()
    under.hands.mkdir('d')
    under.hands.write('d/f', 'mine')
    const before = outside.state()
    await using swapper = await startSwapper(join(under.path, 'd/f'), join(outside.path, 'f'))
    for (let turn = 0; turn < enoughTurns || swapper.swaps() < enoughSwaps; turn++)
      await everything({ disk: under.disk, volume }, turn)
    expect(outside.state()).toBe(before)
    outside.remove()
  })

  for (const place of ['.synd', '.synd/staging', '.synd/hold']) {
    test(`while ${place} is swapped for a symlink`, async () => {
      const outside = outsideDirectory()
      mkdirSync(join(outside.path, 'staging'))
      mkdirSync(join(outside.path, 'hold'))
      mkdirSync(join(outside.path, 'granted'))
      await using under = realVolume()
      const volume = await under.open()
      under.hands.mkdir('d')
      const before = outside.state()
      await using swapper = await startSwapper(join(under.path, place), outside.path)
      for (let turn = 0; turn < enoughTurns || swapper.swaps() < enoughSwaps; turn++) {
        try {
          await everything({ disk: under.disk, volume }, turn)
        } catch (error) {
          // Staging was not there just then.
          if (!(error instanceof SyndError)) throw error
        }
      }
      expect(outside.state()).toBe(before)
      expect(readFileSync(join(outside.path, 'f'), 'utf8')).toBe(secret)
      outside.remove()
    })
  }
})

test('G10: only what is in hold is let go, whatever an index says', async () => {
  await using real = realVolume()
  const volume = await real.open()
  real.hands.write('f', 'kept')
  const held = '0123456789abcdef'
  real.hands.write(`.synd/hold/${held}`, 'old')
  await volume.releaseHolds(['../../f', '../volume-id', '..', '', held])
  expect(real.hands.read('f')).toBe('kept')
  expect(real.hands.read('.synd/volume-id')).not.toBeNull()
  expect(volume.heldIds()).toEqual([])
})
