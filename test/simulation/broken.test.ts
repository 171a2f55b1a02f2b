import { afterEach, describe, expect, test, vi } from 'vitest'
import type * as conflict from '../../src/core/conflict.ts'
import { sameContent, type Entry } from '../../src/core/entry.ts'
import type * as merge from '../../src/core/merge.ts'
import { mergeOver } from '../../src/core/merge.ts'
import { parsePeerId } from '../../src/core/peer-id.ts'
import type * as reconcile from '../../src/core/reconcile.ts'
import type * as safety from '../../src/core/safety.ts'
import { compareVectors, coversDot, type Dot } from '../../src/core/version-vector.ts'
import type * as winner from '../../src/core/winner.ts'
import { Damage } from '../../src/engine/damage.ts'
import type * as generation from '../../src/engine/generation.ts'
import type { Transaction } from '../../src/engine/ports.ts'
import { BatchHolds } from '../../src/engine/pull/batch-holds.ts'
import { Decider } from '../../src/engine/pull/decider.ts'
import { Overlay } from '../../src/engine/pull/overlay.ts'
import { Stamping } from '../../src/engine/publish/stamping.ts'
import { HeldDeletes } from '../../src/engine/publish/held-deletes.ts'
import { Self } from '../../src/engine/self.ts'
import { State } from '../../src/engine/state.ts'
import { SyndVolume } from '../../src/volume/volume.ts'
import type { CoreBreaks } from '../support/breakable.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { digestOf } from './contents.ts'
import { drawHistory } from './draw.ts'
import { parseHistory, type History } from './history.ts'
import { shrink } from './shrink.ts'
import { runHistory } from './world.ts'

/** Besides those of core, functions that take the place of those that ship. */
interface Breaks extends CoreBreaks {
  readonly deletesToHold?: typeof safety.deletesToHold
  readonly isOfVolume?: typeof generation.isOfVolume
}

const broken = vi.hoisted((): { now: Breaks } => ({ now: {} }))

vi.mock('../../src/core/reconcile.ts', async (load) => {
  const { breakableReconcile } = await import('../support/breakable.ts')
  return breakableReconcile(await load<typeof reconcile>(), broken)
})

vi.mock('../../src/core/merge.ts', async (load) => {
  const { breakableMerge } = await import('../support/breakable.ts')
  return breakableMerge(await load<typeof merge>(), broken)
})

vi.mock('../../src/core/winner.ts', async (load) => {
  const { breakableWinner } = await import('../support/breakable.ts')
  return breakableWinner(await load<typeof winner>(), broken)
})

vi.mock('../../src/core/conflict.ts', async (load) => {
  const { breakableConflict } = await import('../support/breakable.ts')
  return breakableConflict(await load<typeof conflict>(), broken)
})

vi.mock('../../src/core/safety.ts', async (load) => {
  const { breakable } = await import('../support/breakable.ts')
  const original = await load<typeof safety>()
  const { deletesToHold } = original
  return { ...original, deletesToHold: breakable(deletesToHold, () => broken.now.deletesToHold) }
})

vi.mock('../../src/engine/generation.ts', async (load) => {
  const { breakable } = await import('../support/breakable.ts')
  const original = await load<typeof generation>()
  const { isOfVolume } = original
  return { ...original, isOfVolume: breakable(isOfVolume, () => broken.now.isOfVolume) }
})

afterEach(() => {
  broken.now = {}
  vi.restoreAllMocks()
})

/** A rule in words, a seed whose history shows that it is broken, and what breaks it. */
type Case = readonly [rule: string, seed: number, breakIt: () => void]

const cases: readonly Case[] = [
  [
    'rule 1: an id that is met elsewhere is kept',
    63,
    () => vi.spyOn(Self.prototype, 'recognises').mockReturnValue(true),
  ],
  ['rule 2: counters of a moment ago repeat', 53, repeatCounters],
  [
    "rule 3: the others' write stands though nobody saw ours",
    8,
    () => {
      broken.now = {
        reconcile: (original, local, remote, hasCopyOf) =>
          local !== null && isConflict(local, remote)
            ? becoming(mergeOver(remote, local))
            : original(local, remote, hasCopyOf),
      }
    },
  ],
  [
    'rule 4: the holder of the winner merges at once',
    4,
    () => vi.spyOn(Decider.prototype, 'hasCopyOf').mockReturnValue(true),
  ],
  [
    'rule 4: no loser has a copy',
    4,
    () => {
      broken.now = {
        reconcile: (original, local, remote, hasCopyOf) => {
          const decision = original(local, remote, hasCopyOf)
          const isJoining = local?.version.size === 0
          return decision.kind === 'become' && !isJoining ? { ...decision, loser: null } : decision
        },
      }
    },
  ],
  [
    'rule 5: the winner is who decides',
    4,
    () => {
      broken.now = { compareForWinner: (a, b) => (sameContent(a, b) ? 0 : 1) }
    },
  ],
  [
    'rule 5: a merge forgets which of two writes the other has not seen',
    31,
    () => {
      broken.now = {
        mergeOver: (original, a, b) => ({ ...original(a, b), contentDot: a.contentDot }),
      }
    },
  ],
  [
    'rule 7: a conflict copy has the vector of what lost',
    11,
    () => {
      broken.now = { conflictCopyOf: (copy, { version }) => ({ ...copy, version }) }
    },
  ],
  [
    "rule 9: who joins takes the others' content without a copy",
    4,
    () => {
      broken.now = {
        reconcile: (original, local, remote, hasCopyOf) =>
          local !== null && local.version.size === 0 && remote.version.size > 0
            ? becoming(remote)
            : original(local, remote, hasCopyOf),
      }
    },
  ],
  [
    'rule 9: founders stamp alike what differs',
    9,
    () =>
      vi.spyOn(Stamping.prototype, 'pseudoDot').mockImplementation(({ path }) => ({
        peer: parsePeerId(digestOf(path).slice(0, 16)),
        counter: 1,
      })),
  ],
  [
    'rule 11: a directory goes although something is in it',
    7,
    () => vi.spyOn(Overlay.prototype, 'liveChildren').mockReturnValue([]),
  ],
  ['rule 16: what is announced is acknowledged before it is recorded', 1, recordNothing],
  [
    'rule 18: in sync is who has nothing to do',
    7,
    () =>
      vi.spyOn(State.prototype, 'inSync', 'get').mockImplementation(function (this: State) {
        return this.isSettled
      }),
  ],
  [
    'rule 20: what a volume says of itself is not looked at',
    69,
    () => {
      broken.now = { isOfVolume: () => true }
    },
  ],
  ['rule 22: what was replaced is thrown away unlooked', 109, throwAwayHolds],
  [
    'rule 22: a directory is not synced before what is in it is acknowledged',
    110,
    () => vi.spyOn(SyndVolume.prototype, 'syncDirectories').mockResolvedValue(),
  ],
  [
    'rule 23: what a power loss took was deleted',
    10,
    () => vi.spyOn(Damage.prototype, 'suspectPowerLoss').mockReturnValue(),
  ],
]

const casesOfBrake: readonly Case[] = [
  [
    'rule 19: nothing is held back',
    1,
    () => {
      broken.now = { deletesToHold: () => 'none' }
    },
  ],
  [
    'rule 19: what is held back goes at the next look',
    1,
    () =>
      vi
        .spyOn(HeldDeletes.prototype, 'sift')
        .mockImplementation((gone) => gone.map(({ record }) => record)),
  ],
]

const steps = { atLeast: 50, atMost: 200 }

/** Should a history be drawn otherwise one day, one of the first shows it too. */
const otherSeeds = Array.from({ length: 120 }, (_, index) => index + 1)

describe('what is broken is seen by whole peers:', () => {
  test.each(cases)('%s', { timeout: 300_000 }, async (_, seed, breakIt) => {
    breakIt()
    expect(await failing(seed, (one) => drawHistory(one, steps))).not.toBeNull()
  })

  test.each(casesOfBrake)('%s', { timeout: 300_000 }, async (_, seed, breakIt) => {
    breakIt()
    expect(await failing(seed, (one) => drawHistory(one, steps, ['brake']))).not.toBeNull()
  })
})

test(
  'the report of a shrunk history is a script that fails in the same way',
  { timeout: 300_000 },
  async () => {
    const breakIt = cases.find(([rule]) => rule.startsWith('rule 3:'))?.[2]
    breakIt?.()
    const history = await failing(8, (one) => drawHistory(one, steps))
    if (history === null) throw new Error('nothing failed')
    const shortest = await shrink(history, async (one) => (await run(one)).failure !== null, 200)
    expect(shortest.steps.length).toBeLessThan(history.steps.length / 2)
    const { failure, report } = await run(shortest)
    expect(report.startsWith(`${failure}\n`)).toBe(true)
    const again = parseHistory(scriptIn(report))
    expect(again).toEqual(shortest)
    expect((await run(again)).failure).toBe(failure)
    vi.restoreAllMocks()
    broken.now = {}
    expect((await run(again)).failure).toBeNull()
  },
)

/** The first history that fails, or null. */
async function failing(seed: number, draw: (seed: number) => History): Promise<History | null> {
  for (const one of new Set([seed, ...otherSeeds])) {
    const history = draw(one)
    const { failure } = await run(history)
    if (failure === null) continue
    console.log(`seed ${one}: ${failure.slice(0, 100)}`)
    return history
  }
  return null
}

/** What does not come together within twenty minutes never does. */
function run(history: History): ReturnType<typeof runHistory> {
  return runHistory(history, { restMs: 20 * 60_000 })
}

/** The script, of all that is reported: from its head to the first blank line. */
function scriptIn(report: string): string {
  const lines = report.split('\n')
  const head = lines.findIndex((line) => line.startsWith('seed '))
  return lines.slice(head, lines.indexOf('', head)).join('\n')
}

/** Of two that are apart neither or both have seen the other's write. */
function isConflict(local: Entry, remote: Entry): boolean {
  const isApart = compareVectors(local.version, remote.version) === 'concurrent'
  const localSaw = coversDot(local.version, remote.contentDot)
  const remoteSaw = coversDot(remote.version, local.contentDot)
  return isApart && !sameContent(local, remote) && localSaw === remoteSaw
}

function becoming(entry: Entry): reconcile.Decision {
  return { kind: 'become', entry, loser: null, isVersionReuse: false }
}

function repeatCounters(): void {
  const nextDot: (this: Self) => Dot = Reflect.get(Self.prototype, 'nextDot')
  vi.spyOn(Self.prototype, 'nextDot').mockImplementation(function (this: Self) {
    const dot = nextDot.call(this)
    return { ...dot, counter: dot.counter - (dot.counter % 1_000) }
  })
}

function throwAwayHolds(): void {
  type Held = Parameters<BatchHolds['add']>[0]
  const add: (this: BatchHolds, held: Held) => void = Reflect.get(BatchHolds.prototype, 'add')
  vi.spyOn(SyndVolume.prototype, 'lookHold').mockReturnValue({ kind: 'absent' })
  vi.spyOn(BatchHolds.prototype, 'add').mockImplementation(function (this: BatchHolds, held) {
    add.call(this, { ...held, isDisplaced: false })
  })
}

function recordNothing(): void {
  const commit: (this: MemoryStore, all: Transaction) => void = Reflect.get(
    MemoryStore.prototype,
    'commit',
  )
  vi.spyOn(MemoryStore.prototype, 'commit').mockImplementation(function (this: MemoryStore, all) {
    commit.call(this, { ...all, remote: [] })
  })
}
