import { describe, inject, test } from 'vitest'
import { check, type CommandResult, run } from './command.ts'
import { isContinuousIntegration } from './engines.ts'

/** The docker command against the daemon of this run. */
export interface DockerCommand {
  readonly environment: Readonly<Record<string, string>>
  /** Runs `docker …`, which must succeed; gives stdout without the last newline. */
  (...args: readonly string[]): Promise<string>
  /** The same, whatever it exits with. */
  try(...args: readonly string[]): Promise<CommandResult>
}

/** A describe block that needs a Docker daemon with Synd's image: skipped on a laptop without, a failure in CI. */
export function describeWithDocker(title: string, body: (docker: DockerCommand) => void): void {
  const provided = inject('docker')
  if (provided !== null) {
    describe(title, () => body(dockerCommand(provided.environment)))
    return
  }
  if (isContinuousIntegration()) {
    describe(title, () => {
      test('a Docker daemon can be had', () => {
        throw new Error('CI lacks Docker: apt-get install docker.io iptables')
      })
    })
    return
  }
  describe.skip(`${title} (needs a Docker daemon)`, () => {
    test('not run', () => {})
  })
}

function dockerCommand(environment: Readonly<Record<string, string>>): DockerCommand {
  return Object.assign(
    async (...args: readonly string[]) =>
      (await check('docker', args, { environment })).replace(/\n$/, ''),
    {
      environment,
      try: (...args: readonly string[]) => run('docker', args, { environment }),
    },
  )
}
