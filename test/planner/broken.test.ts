import { afterEach, describe, expect, test, vi } from 'vitest'
import type * as conflict from '../../src/core/conflict.ts'
import { isLive, sameContent, type Entry } from '../../src/core/entry.ts'
import type * as merge from '../../src/core/merge.ts'
import type * as plan from '../../src/core/plan.ts'
import type * as reconcile from '../../src/core/reconcile.ts'
import {
  depthOf,
  joinPath,
  nameOf,
  parentOf,
  type RelativePath,
} from '../../src/core/relative-path.ts'
import { compareVectors } from '../../src/core/version-vector.ts'
import type * as winner from '../../src/core/winner.ts'
import { ConflictCopies } from '../../src/engine/pull/conflict-copies.ts'
import { Decider } from '../../src/engine/pull/decider.ts'
import { Overlay } from '../../src/engine/pull/overlay.ts'
import type { CoreBreaks } from '../support/breakable.ts'
import { Failure, type FailureKind } from './failure.ts'
import { runSchedule } from './run.ts'
import { scheduleOf } from './schedule.ts'

/** Besides those of core, functions that take the place of those that ship. */
interface Breaks extends CoreBreaks {
  readonly orderForApply?: Order
  readonly orderForAnnouncement?: Order
}

type Order = <Step extends { readonly entry: Entry }>(steps: readonly Step[]) => Step[]

const broken = vi.hoisted((): { now: Breaks } => ({ now: {} }))

vi.mock('../../src/core/plan.ts', async (load) => {
  const original = await load<typeof plan>()
  const { orderForApply, orderForAnnouncement } = original
  return {
    ...original,
    orderForApply: (...given: Parameters<typeof orderForApply>) =>
      (broken.now.orderForApply ?? orderForApply)(...given),
    orderForAnnouncement: (...given: Parameters<typeof orderForAnnouncement>) =>
      (broken.now.orderForAnnouncement ?? orderForAnnouncement)(...given),
  }
})

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

afterEach(() => {
  broken.now = {}
  vi.restoreAllMocks()
})

describe('what is broken in the orders is seen:', () => {
  test.each<[string, FailureKind, Breaks]>([
    [
      'removals are applied first',
      'plan',
      { orderForApply: (steps) => [...deepestFirst(gone(steps)), ...outermostFirst(kept(steps))] },
    ],
    ['a batch is applied as it came', 'plan', { orderForApply: (steps) => [...steps] }],
    [
      'removals are announced before creations',
      'plan',
      {
        orderForAnnouncement: (steps) => [
          ...deepestFirst(gone(steps)),
          ...outermostFirst(kept(steps)),
        ],
      },
    ],
    [
      'what takes the place of a directory is announced with the creations',
      'plan',
      {
        orderForAnnouncement: (steps) => [
          ...outermostFirst(kept(steps)),
          ...deepestFirst(gone(steps)),
        ],
      },
    ],
    [
      'a round is announced as it was found',
      'plan',
      { orderForAnnouncement: (steps) => [...steps] },
    ],
  ])('%s: %s', async (_, kind, breaks) => {
    broken.now = breaks
    expect(await isSeen(kind)).toBe(true)
  })
})

describe('what is broken in the decisions is seen:', () => {
  test.each<[string, FailureKind, Breaks]>([
    [
      'the holder of the winner merges at once (rule 4)',
      'lost',
      { reconcile: (original, local, remote) => original(local, remote, () => true) },
    ],
    [
      'no loser has a copy (rule 4)',
      'lost',
      {
        reconcile: (original, ...given) => {
          const decision = original(...given)
          return decision.kind === 'become' ? { ...decision, loser: null } : decision
        },
      },
    ],
    [
      'whatever is announced is taken (rule 3)',
      'lost',
      {
        reconcile: (original, local, remote, hasCopyOf) =>
          local !== null && compareVectors(local.version, remote.version) === 'concurrent'
            ? { kind: 'become', entry: remote, loser: null, isVersionReuse: false }
            : original(local, remote, hasCopyOf),
      },
    ],
    [
      'a delete beats an edit (rule 5)',
      'wrong',
      { compareForWinner: (a, b) => rank(a) - rank(b) || a.mtimeUs - b.mtimeUs },
    ],
    [
      'the earlier of two has the name (rule 5)',
      'wrong',
      { compareForWinner: (a, b) => b.mtimeUs - a.mtimeUs },
    ],
    [
      'the winner is who decides (rule 5)',
      'diverged',
      { compareForWinner: (a, b) => (sameContent(a, b) ? 0 : 1) },
    ],
    [
      'a merge covers only one of the two (rule 4)',
      'diverged',
      { mergeOver: (original, a, b) => ({ ...original(a, b), version: a.version }) },
    ],
    [
      'a mode set meanwhile is forgotten (rule 5)',
      'wrong',
      {
        mergeOver: (original, a, b) =>
          sameContent(a, b) ? original(a, b) : { ...a, version: original(a, b).version },
      },
    ],
    [
      'each who makes a copy gives it a name of their own (rule 7)',
      'diverged',
      { conflictCopyOf: (copy) => ({ ...copy, path: beside(copy.path, ++names) }) },
    ],
  ])('%s: %s', async (_, kind, breaks) => {
    broken.now = breaks
    expect(await isSeen(kind)).toBe(true)
  })

  test.each<[string, FailureKind, () => void]>([
    [
      'a directory goes although something is in it (rule 11)',
      'plan',
      () => vi.spyOn(Overlay.prototype, 'liveChildren').mockReturnValue([]),
    ],
    [
      'an entry does not wait for its directory (rule 11)',
      'plan',
      () => vi.spyOn(Overlay.prototype, 'isDirectory').mockReturnValue(true),
    ],
    [
      'a copy that is not made counts as made (rule 4)',
      'diverged',
      () => vi.spyOn(ConflictCopies.prototype, 'ofLocal').mockResolvedValue(true),
    ],
    [
      'a winner thinks that it has every copy (rule 4)',
      'lost',
      () => vi.spyOn(Decider.prototype, 'hasCopyOf').mockReturnValue(true),
    ],
  ])('%s: %s', async (_, kind, breakIt) => {
    breakIt()
    expect(await isSeen(kind)).toBe(true)
  })
})

/** Whether one of the first schedules fails so. */
async function isSeen(kind: FailureKind): Promise<boolean> {
  for (let seed = 1; seed <= 5_000; seed++) {
    try {
      await runSchedule(scheduleOf(seed))
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      if (error.kind === kind) return true
    }
  }
  return false
}

let names = 0

function beside(path: RelativePath, number: number): RelativePath {
  return joinPath(parentOf(path), `${nameOf(path)}-${number}`)
}

function rank({ kind }: Entry): number {
  return kind === 'tombstone' ? 3 : kind === 'directory' ? 2 : kind === 'file' ? 1 : 0
}

function gone<Step extends { readonly entry: Entry }>(steps: readonly Step[]): Step[] {
  return steps.filter(({ entry }) => !isLive(entry))
}

function kept<Step extends { readonly entry: Entry }>(steps: readonly Step[]): Step[] {
  return steps.filter(({ entry }) => isLive(entry))
}

function outermostFirst<Step extends { readonly entry: Entry }>(steps: readonly Step[]): Step[] {
  return steps.toSorted((a, b) => depthOf(a.entry.path) - depthOf(b.entry.path))
}

function deepestFirst<Step extends { readonly entry: Entry }>(steps: readonly Step[]): Step[] {
  return outermostFirst(steps).toReversed()
}
