import { describe, expect, test } from 'vitest'
import { sameContent } from '../../src/core/entry.ts'
import { reconcile, type Decision } from '../../src/core/reconcile.ts'
import { compareVectors, mergeVectors } from '../../src/core/version-vector.ts'
import { compareForWinner } from '../../src/core/winner.ts'
import { foundHistories } from './one-path-found.ts'
import { historyOf, type History } from './one-path-history.ts'
import type { Rules } from './one-path-peer.ts'
import { runHistory, shippedRules, type Failure } from './one-path-run.ts'
import { script, shrink } from './one-path-shrink.ts'

/** `MODEL_SEED` is the seed of the first history, `MODEL_RUNS` how many there are. */
const firstSeed = Number(process.env['MODEL_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const runs = Number(process.env['MODEL_RUNS'] ?? 20_000)

describe('one path on 2 to 5 peers', () => {
  test(
    `nothing is lost and nobody diverges in ${runs} histories from MODEL_SEED=${firstSeed}`,
    { timeout: 120_000 + runs * 10 },
    () => {
      for (let seed = firstSeed; seed < firstSeed + runs; seed++) expectToHold(historyOf(seed))
    },
  )

  test.each(Object.entries(foundHistories))('found before: %s', (_, history) => {
    expectToHold(history)
  })

  test('the histories reach what they are there for', () => {
    const reached = new Set<string>()
    const rules = withReconcile((local, remote, hasCopyOf) => {
      const decision = reconcile(local, remote, hasCopyOf)
      const relation = local === null ? 'new' : compareVectors(local.version, remote.version)
      reached.add(`${relation}: ${textOf(decision)}`)
      return decision
    })
    for (let seed = 1; seed <= 3000; seed++) runHistory(historyOf(seed), rules)
    expect([...reached]).toEqual(
      expect.arrayContaining([
        'new: become',
        'ahead: keep',
        'behind: become',
        'concurrent: await',
        'concurrent: become',
        'concurrent: become with a copy',
        'equal: keep',
        'equal: become with a copy, version reused',
      ]),
    )
  })
})

function textOf(decision: Decision): string {
  if (decision.kind !== 'become') return decision.kind
  return `become${decision.loser === null ? '' : ' with a copy'}${decision.isVersionReuse ? ', version reused' : ''}`
}

describe('the model sees what a wrong rule does', () => {
  test('the holder of the winner merges at once: content is lost', () => {
    const rules = withReconcile((local, remote) => reconcile(local, remote, () => true))
    expect(isSeen(rules, 'lost', 500)).toBe(true)
  })

  test('the later mtime wins and the loser is dropped: content is lost', () => {
    const rules = withReconcile((local, remote, hasCopyOf) => {
      if (local === null || compareVectors(local.version, remote.version) !== 'concurrent')
        return reconcile(local, remote, hasCopyOf)
      const winner = compareForWinner(local, remote) >= 0 ? local : remote
      const version = mergeVectors(local.version, remote.version)
      return { kind: 'become', entry: { ...winner, version }, loser: null, isVersionReuse: false }
    })
    expect(isSeen(rules, 'lost', 500)).toBe(true)
  })

  test('the later mtime wins where one had seen what the other wrote: the last word does not stand', () => {
    const rules = withReconcile((local, remote, hasCopyOf) => {
      const decision = reconcile(local, remote, hasCopyOf)
      if (local === null || decision.kind !== 'become' || sameContent(local, remote))
        return decision
      const isConcurrent = compareVectors(local.version, remote.version) === 'concurrent'
      if (!isConcurrent || compareForWinner(local, remote) < 0) return decision
      return { ...decision, entry: { ...local, version: decision.entry.version } }
    })
    expect(isSeen(rules, 'invariant', 10_000)).toBe(true)
  })

  test('equal vectors are taken for equal content: peers diverge', () => {
    const rules = withReconcile((local, remote, hasCopyOf) =>
      local !== null && compareVectors(local.version, remote.version) === 'equal'
        ? { kind: 'keep' }
        : reconcile(local, remote, hasCopyOf),
    )
    expect(isSeen(rules, 'diverged', 20_000)).toBe(true)
  })

  test('nothing concurrent is announced: content does not come everywhere', () => {
    const rules: Rules = {
      ...shippedRules,
      isKnown: (ours, theirs) => compareVectors(ours.version, theirs.version) !== 'ahead',
    }
    expect(isSeen(rules, 'lost', 500)).toBe(true)
  })
})

function expectToHold(history: History): void {
  const failure = runHistory(history)
  if (failure === null) return
  const shortest = shrink(history, (shorter) => runHistory(shorter)?.kind === failure.kind)
  throw new Error(
    [
      `${failure.kind}: ${failure.what}`,
      `shortest: ${runHistory(shortest)?.what}`,
      script(shortest),
      `again with MODEL_SEED=${history.seed} MODEL_RUNS=1`,
    ].join('\n'),
  )
}

function withReconcile(decide: Rules['reconcile']): Rules {
  return { ...shippedRules, reconcile: decide }
}

/** Whether one of the first histories, at most so many, fails so. */
function isSeen(rules: Rules, kind: Failure['kind'], histories: number): boolean {
  for (let seed = 1; seed <= histories; seed++) {
    if (runHistory(historyOf(seed), rules)?.kind === kind) return true
  }
  return false
}
