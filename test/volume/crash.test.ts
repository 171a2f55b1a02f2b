import { describe, expect, test } from 'vitest'
import type { LiveEntry } from '../../src/core/entry.ts'
import type { Observation } from '../../src/core/observation.ts'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import type { Change } from '../../src/engine/ports.ts'
import { openVolume } from '../../src/volume/open.ts'
import type { SyndVolume } from '../../src/volume/volume.ts'
import type { Hands } from '../support/hands.ts'
import { interceptDisk } from '../support/intercept-disk.ts'
import {
  diskEffects,
  ProcessEnded,
  type AttachOptions,
  type DiskCall,
} from '../support/memory-disk-attached.ts'
import { MemoryDisk } from '../support/memory-disk.ts'
import { memoryHands } from '../support/memory-hands.ts'
import { Random } from '../support/random.ts'
import {
  countingIds,
  directoryEntry,
  fileEntry,
  observed,
  someMtimeUs,
  staged,
  symlinkEntry,
  TestLedger,
} from '../support/volume-fixture.ts'

/** One change upon what `before` made; at `d/p` stands `old` before it and `now` after it. */
interface Scenario {
  readonly title: string
  readonly before: (hands: Hands) => void
  readonly change: (volume: SyndVolume, expected: Observation | null) => Promise<Change>
  readonly old: string | undefined
  readonly now: string | undefined
  /** No call replaces a directory by something else: an empty directory may be gone for a moment. */
  readonly mayBeAbsent?: boolean
  readonly attach?: AttachOptions
}

const path = 'd/p'
const writeOld = (hands: Hands): void => hands.write(path, 'old')
const makeOld = (hands: Hands): void => hands.mkdir(path)
const linkOld = (hands: Hands): void => hands.symlink('old', path)
const nothing = (): void => undefined

const publish: Scenario['change'] = async (volume, expected) => {
  const entry = fileEntry(path, 'new', { mode: 0o640 })
  const stage = await staged(volume, 'new', { mode: 0o640, mtimeUs: someMtimeUs })
  return { kind: 'publish', entry, stage, expected }
}
const publishUndressed: Scenario['change'] = async (volume, expected) => {
  const stage = await staged(volume, 'new')
  return { kind: 'publish', entry: fileEntry(path, 'new', { mode: 0o640 }), stage, expected }
}
const make =
  (entry: LiveEntry): Scenario['change'] =>
  async (_volume, expected) => ({ kind: 'make', entry, expected })
const set =
  (entry: LiveEntry): Scenario['change'] =>
  async (_volume, expected) => ({ kind: 'set-metadata', entry, expected: demand(expected) })
const remove: Scenario['change'] = async (_volume, expected) => ({
  kind: 'remove',
  path: parseRelativePath(path),
  expected: demand(expected),
})
const readOnly: AttachOptions = { enforcesModes: true }
const inReadOnly =
  (before: (hands: Hands) => void) =>
  (hands: Hands): void => {
    before(hands)
    hands.chmod('d', 0o555)
  }
const noLinks: AttachOptions = {
  refuse: ({ operation }) => (operation === 'link' ? 'EPERM' : null),
}

const scenarios: readonly Scenario[] = [
  { title: 'a new file', before: nothing, change: publish, old: undefined, now: 'f 640 new' },
  {
    title: 'a new file whose mode came late',
    before: nothing,
    change: publishUndressed,
    old: undefined,
    now: 'f 640 new',
  },
  {
    title: 'a file over a file',
    before: writeOld,
    change: publish,
    old: 'f 644 old',
    now: 'f 640 new',
  },
  {
    title: 'a file over a file without links',
    before: writeOld,
    change: publish,
    old: 'f 644 old',
    now: 'f 640 new',
    attach: noLinks,
  },
  {
    title: 'a file over a symlink',
    before: linkOld,
    change: publish,
    old: 'l old',
    now: 'f 640 new',
  },
  {
    title: 'a file over a directory',
    before: makeOld,
    change: publish,
    old: 'd 755',
    now: 'f 640 new',
    mayBeAbsent: true,
  },
  {
    title: 'a symlink',
    before: nothing,
    change: make(symlinkEntry(path, 'new')),
    old: undefined,
    now: 'l new',
  },
  {
    title: 'a symlink over a file',
    before: writeOld,
    change: make(symlinkEntry(path, 'new')),
    old: 'f 644 old',
    now: 'l new',
  },
  {
    title: 'a symlink over a symlink',
    before: linkOld,
    change: make(symlinkEntry(path, 'new')),
    old: 'l old',
    now: 'l new',
  },
  {
    title: 'a symlink over a directory',
    before: makeOld,
    change: make(symlinkEntry(path, 'new')),
    old: 'd 755',
    now: 'l new',
    mayBeAbsent: true,
  },
  {
    title: 'a directory',
    before: nothing,
    change: make(directoryEntry(path, 0o750)),
    old: undefined,
    now: 'd 750',
  },
  {
    title: 'a directory over a file',
    before: writeOld,
    change: make(directoryEntry(path, 0o750)),
    old: 'f 644 old',
    now: 'd 750',
  },
  {
    title: 'a directory over a symlink',
    before: linkOld,
    change: make(directoryEntry(path, 0o750)),
    old: 'l old',
    now: 'd 750',
  },
  { title: 'a removed file', before: writeOld, change: remove, old: 'f 644 old', now: undefined },
  { title: 'a removed symlink', before: linkOld, change: remove, old: 'l old', now: undefined },
  { title: 'a removed directory', before: makeOld, change: remove, old: 'd 755', now: undefined },
  {
    title: 'a mode',
    before: writeOld,
    change: set(fileEntry(path, 'old', { mode: 0o600 })),
    old: 'f 644 old',
    now: 'f 600 old',
  },
  {
    title: 'a mode of a directory',
    before: makeOld,
    change: set(directoryEntry(path, 0o700)),
    old: 'd 755',
    now: 'd 700',
  },
  {
    title: 'a new file in a read-only directory',
    before: inReadOnly(nothing),
    change: publish,
    old: undefined,
    now: 'f 640 new',
    attach: readOnly,
  },
  {
    title: 'a file over a file in a read-only directory',
    before: inReadOnly(writeOld),
    change: publish,
    old: 'f 644 old',
    now: 'f 640 new',
    attach: readOnly,
  },
  {
    title: 'a directory over a file in a read-only directory',
    before: inReadOnly(writeOld),
    change: make(directoryEntry(path, 0o750)),
    old: 'f 644 old',
    now: 'd 750',
    attach: readOnly,
  },
  {
    title: 'a removed file in a read-only directory',
    before: inReadOnly(writeOld),
    change: remove,
    old: 'f 644 old',
    now: undefined,
    attach: readOnly,
  },
]

const hit = new Set<string>()

for (const scenario of scenarios) {
  describe(`crashes around ${scenario.title}`, () => {
    test('kill -9 at every effect leaves the old or the new thing, and the next start tidies up', async () => {
      const { calls } = await run(scenario, null)
      expect(calls.length).toBeGreaterThan(0)
      for (let point = 0; point < calls.length; point++) {
        const { disk, ledger } = await run(scenario, point)
        disk.kill()
        await checkRestart(scenario, { disk, ledger })
      }
    })

    test('power loss at every effect leaves the old or the new thing', async () => {
      const { calls } = await run(scenario, null)
      for (let point = 0; point < calls.length; point++) {
        for (let seed = 1; seed <= 12; seed++) {
          const { disk, ledger } = await run(scenario, point)
          disk.crash(randomOf(seed))
          await checkRestart(scenario, { disk, ledger })
        }
      }
    })

    test('a start that is killed at every effect is started again', async () => {
      const { calls } = await run(scenario, null)
      for (let point = 0; point < calls.length; point++) {
        const killed = await run(scenario, point)
        killed.disk.kill()
        for (let startPoint = 0; ; startPoint++) {
          const disk = killed.disk.clone()
          const isKilled = await restart(disk, killed.ledger, startPoint)
          disk.kill()
          await checkRestart(scenario, { disk, ledger: killed.ledger })
          if (!isKilled) break
        }
      }
    })

    test('after the directories are synced a power loss takes nothing', async () => {
      for (let seed = 1; seed <= 40; seed++) {
        const { disk } = await run(scenario, null)
        disk.crash(randomOf(seed))
        const hands = memoryHands(disk)
        expect(hands.tree().get(path), `seed ${seed}`).toBe(scenario.now)
        if (scenario.now?.startsWith('f') === true && scenario.change !== remove)
          expect(disk.tree().get(path).mtimeNs / 1000n, `seed ${seed}`).toBe(BigInt(someMtimeUs))
      }
    })
  })
}

test('an edit that lands in the last moment survives kill -9 at every effect after it', async () => {
  for (const change of [
    publish,
    remove,
    make(directoryEntry(path)),
    make(symlinkEntry(path, 'new')),
  ]) {
    const scenario: Scenario = {
      title: 'edited',
      before: writeOld,
      change,
      old: 'f 644 old edit',
      now: undefined,
    }
    // A symlink is put over a file as a file is: by one rename.
    const isLast = ({ operation, path: from, to }: DiskCall): boolean =>
      operation === 'rename' &&
      (to === path || (from === path && to?.startsWith('.synd/hold/') === true))
    const { calls } = await run(scenario, null, isLast)
    const first = calls.findIndex((call) => call.when === 'before' && isLast(call))
    expect(first).toBeGreaterThanOrEqual(0)
    for (let point = first; point < calls.length; point++) {
      const { disk, ledger } = await run(scenario, point, isLast)
      disk.kill()
      await restart(disk, ledger, null)
      const hands = memoryHands(disk)
      const places = [
        hands.read(path),
        ...ledger.holds().map(({ id }) => hands.read(`.synd/hold/${id}`)),
      ]
      expect(places, `point ${point}`).toContain('old edit')
    }
  }
})

test('every effect that a change has on the disk was a crash point, before and after', () => {
  // What is created, written and copied is in staging, before any change begins; other owners are a test of their own.
  const elsewhere: readonly string[] = ['create', 'write', 'copy', 'chown']
  const expected = diskEffects.filter((effect) => !elsewhere.includes(effect))
  for (const effect of expected) {
    expect([...hit]).toContain(`before ${effect}`)
    expect([...hit]).toContain(`after ${effect}`)
  }
})

interface Life {
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
async function run(
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
    ledger.put({ entry: { ...fileEntry(path, 'old') }, observation: expected, sequence: 1 })
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
async function restart(
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
    await openVolume({
      disk: attached,
      path: '/volume',
      durability: 'full',
      ledger,
      ids: new Random(count),
    })
    return false
  } catch (error) {
    if (isEnd(error)) return true
    throw error
  }
}

async function checkRestart(
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

function randomOf(seed: number): () => number {
  const random = new Random(seed)
  return () => random.fraction()
}

function demand(expected: Observation | null): Observation {
  if (expected === null) throw new Error('nothing there')
  return expected
}
