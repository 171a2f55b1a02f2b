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
    const rules: Rules = {
      ...shippedRules,
      reconcile: (local, remote, hasCopyOf) => {
        const decision = reconcile(local, remote, hasCopyOf)
        const relation = local === null ? 'new' : compareVectors(local.version, remote.version)
        reached.add(`${relation}: ${textOf(decision)}`)
        return decision
      },
    }
    for (let seed = 1; seed <= 10_000; seed++) runHistory(historyOf(seed), rules)
    expect([...reached].toSorted()).toEqual([
      'ahead: keep',
      'behind: become',
      'concurrent: await',
      'concurrent: become',
      'concurrent: become with a copy',
      'equal: become',
      'equal: become with a copy, version reused',
      'equal: keep',
      'new: become',
    ])
  })
})

function textOf(decision: Decision): string {
  if (decision.kind !== 'become') return decision.kind
  return `become${decision.loser === null ? '' : ' with a copy'}${decision.isVersionReuse ? ', version reused' : ''}`
}

describe('the model sees what a wrong rule does', () => {
  test('the holder of the winner merges at once: content is lost', () => {
    const rules = withReconcile((local, remote) => reconcile(local, remote, () => true))
    expect(countFailures(rules, 1000).lost).toBeGreaterThan(100)
  })

  test('the later mtime wins and the loser is dropped: content is lost', () => {
    const rules = withReconcile((local, remote, hasCopyOf) => {
      if (local === null || compareVectors(local.version, remote.version) !== 'concurrent')
        return reconcile(local, remote, hasCopyOf)
      const winner = compareForWinner(local, remote) >= 0 ? local : remote
      const version = mergeVectors(local.version, remote.version)
      return { kind: 'become', entry: { ...winner, version }, loser: null, isVersionReuse: false }
    })
    expect(countFailures(rules, 1000).lost).toBeGreaterThan(100)
  })

  test('nobody asks who saw whose write: what somebody wrote with all before the eyes does not stand', () => {
    const rules = withReconcile((local, remote, hasCopyOf) => {
      const decision = reconcile(local, remote, hasCopyOf)
      if (local === null || sameContent(local, remote) || decision.kind !== 'become')
        return decision
      const isConcurrent = compareVectors(local.version, remote.version) === 'concurrent'
      if (!isConcurrent || compareForWinner(local, remote) < 0) return decision
      return { ...decision, entry: { ...local, version: decision.entry.version } }
    })
    expect(countFailures(rules, 3000).all).toBeGreaterThan(0)
  })

  test('equal vectors are taken for equal content: peers diverge', () => {
    const rules = withReconcile((local, remote, hasCopyOf) =>
      local !== null && compareVectors(local.version, remote.version) === 'equal'
        ? { kind: 'keep' }
        : reconcile(local, remote, hasCopyOf),
    )
    expect(countFailures(rules, 10_000).diverged).toBeGreaterThan(0)
  })

  test('what the other side covers is not announced to it: peers diverge', () => {
    const rules: Rules = {
      ...shippedRules,
      isKnown: (ours, theirs) => compareVectors(ours.version, theirs.version) !== 'ahead',
    }
    expect(countFailures(rules, 1000).all).toBeGreaterThan(0)
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

/** Of the first histories there are. */
function countFailures(rules: Rules, histories: number): Record<Failure['kind'] | 'all', number> {
  const counts = { lost: 0, diverged: 0, invariant: 0, all: 0 }
  for (let seed = 1; seed <= histories; seed++) {
    const failure = runHistory(historyOf(seed), rules)
    if (failure === null) continue
    counts[failure.kind]++
    counts.all++
  }
  return counts
}
