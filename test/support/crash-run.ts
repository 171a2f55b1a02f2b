import { expect } from 'vitest'
import { openVolume } from '../../src/volume/open.ts'
import { interceptDisk } from './intercept-disk.ts'
import { path, readOnly, type Scenario } from './crash-scenarios.ts'
import { ProcessEnded, type DiskCall } from './memory-disk-attached.ts'
import { MemoryDisk } from './memory-disk.ts'
import { memoryHands } from './memory-hands.ts'
import { Random } from './random.ts'
import { countingIds, fileEntry, observed, TestLedger } from './volume-fixture.ts'

/** Every effect that some run was killed at: `before link`. */
export const hit = new Set<string>()

/** A disk and an index as a process left them. */
export interface Life {
  readonly disk: MemoryDisk
  readonly ledger: TestLedger
  /** The effects of the change, as far as it came. */
  readonly calls: readonly (DiskCall & { readonly when: 'before' | 'after' })[]
}

class Killed extends Error {}

/** Also what the tidying up of a process that has ended meets. */
function isEnd(error: unknown): boolean {
  return error instanceof Killed || error instanceof ProcessEnded
}

/** Runs the change until its `point`th effect (null: to the end, with its syncs), on a disk where all before it was synced. */
export async function run(
  scenario: Scenario,
  point: number | null,
  isEdit: (call: DiskCall) => boolean = () => false,
): Promise<Life> {
  const disk = new MemoryDisk({ nowMs: () => 1_763_900_000_000 })
  const hands = memoryHands(disk)
  const ledger = new TestLedger()
  const calls: (DiskCall & { readonly when: 'before' | 'after' })[] = []
  let isRunning = false
  let hasEdited = false
  const attached = disk.attach({
    ...scenario.attach,
    effect: (call) => {
      if (!isRunning) return
      calls.push(call)
      if (point === calls.length - 1) {
        hit.add(`${call.when} ${call.operation}`)
        throw new Killed()
      }
    },
  })
  const edited = interceptDisk(attached, (operation, from, to) => {
    if (hasEdited || (operation !== 'rename' && operation !== 'link')) return
    if (!isEdit({ operation, path: from, to })) return
    hasEdited = true
    hands.append(path, ' edit')
  })
  hands.mkdir('d')
  const volume = await openVolume({
    disk: edited,
    path: '/volume',
    durability: 'full',
    ledger,
    ids: countingIds(),
  })
  scenario.before(hands)
  const expected = hands.tree().has(path) ? observed(volume, path) : null
  if (expected !== null)
    ledger.put({ entry: fileEntry(path, 'old'), observation: expected, sequence: 1 })
  disk.syncAll()
  const change = await scenario.change(volume, expected)
  isRunning = true
  try {
    await volume.apply(change)
    await volume.syncDirectories()
  } catch (error) {
    if (!isEnd(error)) throw error
  }
  isRunning = false
  return { disk, ledger, calls }
}

/** Opens the volume as the next life does; killed at the `point`th effect of that, and whether it was. */
export async function restart(
  disk: MemoryDisk,
  ledger: TestLedger,
  point: number | null,
): Promise<boolean> {
  let count = 0
  const attached = disk.attach({
    effect: () => {
      if (count++ === point) throw new Killed()
    },
  })
  try {
    const volume = await openVolume({
      disk: attached,
      path: '/volume',
      durability: 'full',
      ledger,
      // No two lives draw the same.
      ids: new Random(1 + (point ?? -1)),
    })
    volume.sweep()
    return false
  } catch (error) {
    if (isEnd(error)) return true
    throw error
  }
}

/** What must hold once the next life has opened the volume. */
export async function checkRestart(
  scenario: Scenario,
  { disk, ledger }: { disk: MemoryDisk; ledger: TestLedger },
): Promise<void> {
  await restart(disk, ledger, null)
  const hands = memoryHands(disk)
  const shown = hands.tree().get(path)
  const allowed = [
    scenario.old,
    scenario.now,
    ...(scenario.mayBeAbsent === true ? [undefined] : []),
  ]
  expect(allowed, scenario.title).toContain(shown)
  expect(hands.tree('.synd/staging').size).toBe(0)
  expect(hands.tree('.synd/granted').size).toBe(0)
  // A second link to what has its name is nobody's lost edit.
  const there = disk.tree().find(path)
  for (const held of hands.tree('.synd/hold').keys()) expect(disk.tree().get(held)).not.toBe(there)
  expect(hands.tree().get('d')).toBe(scenario.attach === readOnly ? 'd 555' : 'd 755')
}

/** Random numbers for a power loss, the same for a seed. */
export function randomOf(seed: number): () => number {
  const random = new Random(seed)
  return () => random.fraction()
}
