import { readdirSync } from 'node:fs'
import { expect } from 'vitest'
import type { Cluster } from '../e2e/cluster.ts'

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
