import { dispatch } from './cli/dispatch.ts'
import { untilStopSignal } from './cli/stop-signals.ts'
import { openTerminal } from './cli/terminal.ts'

/** The program: runs what `argv` (the words after `synd`) asks for and ends the process with its exit code (README, Commands and exit codes). */
export async function main(argv: readonly string[]): Promise<void> {
  const code = await dispatch(argv, {
    // Loaded when it is wanted: the health check of a container starts twice a minute and needs none of it.
    run: async (call) => {
      const stopSignal = untilStopSignal()
      return (await import('./cli/run.ts')).run(call, stopSignal)
    },
    terminal: openTerminal(),
  })
  process.exit(code)
}
