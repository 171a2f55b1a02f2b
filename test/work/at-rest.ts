import { readdirSync } from 'node:fs'
import { expect } from 'vitest'
import type { Cluster } from '../e2e/cluster.ts'
import { until } from '../e2e/wait.ts'

/** For who takes a large tree away on a busy machine, and for what is waited for there. */
export const patientMs = 300_000

/** Waits until the peers are in sync and their trees equal; nobody but one changed anything, so there is no conflict copy. */
export async function untilAtRest(cluster: Cluster, everyMs = 100): Promise<void> {
  await cluster.untilInSync({ deadlineMs: patientMs, everyMs })
  for (const { volume } of cluster.members) {
    const copies = readdirSync(volume, { recursive: true, encoding: 'latin1' }).filter((name) =>
      name.includes('.sync-conflict-'),
    )
    expect(copies).toEqual([])
  }
}

/** Waits until the peers say that they are in sync, of the same tree, with at least so many files; nothing is read. */
export async function untilAgreed(
  cluster: Cluster,
  leastFiles: number,
  deadlineMs = patientMs,
): Promise<void> {
  await until(
    async () => {
      const statuses = await Promise.all(cluster.members.map(({ process }) => process.status()))
      const digests = new Set(statuses.map((status) => status?.volume.treeDigest))
      const isAgreed =
        digests.size === 1 &&
        statuses.every((status) => status?.inSync === true && status.volume.files >= leastFiles)
      return isAgreed ? null : JSON.stringify(statuses)
    },
    { deadlineMs, everyMs: 200 },
  )
}
