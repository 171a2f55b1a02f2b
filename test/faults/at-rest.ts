import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Status } from '../../src/core/status.ts'
import type { Cluster, Member } from '../e2e/cluster.ts'
import { until } from '../e2e/wait.ts'

/** Slow machines and back-offs; a peer that is not in sync by then has failed. */
const usualDeadlineMs = 240_000

/** A loop that answered so often after the last change has read every event of it. */
const answersInARow = 3

/**
 * Waits until all have said several times in a row that they are in sync; then it must be true: trees and digests are equal, nobody has a
 * problem, nothing is left in staging or hold.
 */
export async function untilAtRest(
  cluster: Cluster,
  { deadlineMs = usualDeadlineMs }: { readonly deadlineMs?: number } = {},
): Promise<void> {
  let inARow = 0
  await until(
    async () => {
      const statuses = await statusesOf(cluster)
      inARow = statuses.every((status) => status?.inSync === true) ? inARow + 1 : 0
      return inARow >= answersInARow ? null : statuses.map(summaryOf).join('\n')
    },
    { deadlineMs },
  )
  const statuses = await statusesOf(cluster)
  const difference = cluster.difference()
  if (difference !== null) throw new Error(`all say that they are in sync, but ${difference}`)
  const digests = new Set(statuses.map((status) => status?.volume.treeDigest))
  if (digests.size > 1) throw new Error('the trees are equal, the tree digests are not')
  for (const [index, member] of cluster.members.entries()) {
    const left = leftoversOf(member)
    const problems = (statuses[index]?.problems ?? []).map((problem) => JSON.stringify(problem))
    if (problems.length + left.length === 0) continue
    throw new Error(`${member.name} is in sync and has ${[...problems, ...left].join(', ')}`)
  }
}

function statusesOf({ members }: Cluster): Promise<(Status | null)[]> {
  return Promise.all(members.map(({ process }) => process.status()))
}

/** Files of Synd's own that nothing at rest needs. */
function leftoversOf({ volume }: Member): string[] {
  return ['staging', 'hold', 'granted'].flatMap((place) =>
    readdirSync(join(volume, '.synd', place)).map((name) => `.synd/${place}/${name}`),
  )
}

function summaryOf(status: Status | null): string {
  if (status === null) return 'no answer'
  const { peer, inSync, volume, peers, problems } = status
  return JSON.stringify({ name: peer.name, inSync, volume, peers, problems: problems.slice(0, 20) })
}
