import { dispatch } from '../../src/cli/dispatch.ts'
import { recordedTerminal } from './recorded-terminal.ts'

/** Runs `synd` with these words in this process; the sidecar itself stands still. */
export async function synd(...argv: readonly string[]): Promise<{
  readonly code: number
  readonly printed: readonly string[]
  readonly complained: readonly string[]
}> {
  const terminal = recordedTerminal()
  const code = await dispatch(argv, { run: async () => 0, terminal })
  return { code, printed: terminal.printed, complained: terminal.complained }
}
