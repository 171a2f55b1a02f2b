import { buildProgram } from '../e2e/built-program.ts'
import { Cluster, type Member } from '../e2e/cluster.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { until } from './wait.ts'

/** Two real peers, each a process of its own. */
export interface Pair {
  readonly from: Member
  readonly to: Member
  readonly start: () => Promise<void>
  /** Ends the processes; they can be started again. */
  readonly halt: () => Promise<void>
  /** Both say that they are in sync, with equal trees. */
  readonly untilInSync: () => Promise<void>
}

/**
 * Lets `use` work with two peers that are not started yet, and removes everything of them. They run what is built, as the image does: from the
 * sources a process has more memory. `settings` are SYND_* variables.
 */
export async function withPair<Result>(
  use: (pair: Pair) => Promise<Result>,
  settings: Readonly<Record<string, string>> = {},
): Promise<Result> {
  const program = temporaryDirectory()
  const command = buildProgram(program.path)
  const cluster = await Cluster.make(['alpha', 'beta'], { settings, commandOf: () => command })
  const processes = cluster.members.map(({ process }) => process)
  const untilInSync = async (): Promise<void> => {
    await until(
      'in sync',
      async () => {
        const [a, b] = await Promise.all(processes.map((process) => process.status()))
        return (
          a?.inSync === true && b?.inSync === true && a.volume.treeDigest === b.volume.treeDigest
        )
      },
      100,
    )
  }
  try {
    return await use({
      from: cluster.member('alpha'),
      to: cluster.member('beta'),
      start: async () => {
        for (const process of processes) process.start()
        await untilInSync()
      },
      halt: async () => {
        await Promise.all(processes.map((process) => process.stop()))
      },
      untilInSync,
    })
  } catch (error) {
    for (const process of processes) console.error(process.output.slice(-5_000))
    throw error
  } finally {
    await cluster.stop()
    program.remove()
  }
}
