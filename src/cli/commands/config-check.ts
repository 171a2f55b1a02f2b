import { settingsWarnings } from '../../config/complete.ts'
import { describeSettings } from '../../config/describe.ts'
import { loadSettings } from '../../config/settings.ts'
import { alignColumns } from '../columns.ts'
import type { Call } from '../commands.ts'
import { oneLine } from '../exit-code.ts'
import { checkInputs } from '../inputs.ts'

/** `synd config check`: prints every setting and where it is from, then says what would stop `synd run` from starting. */
export async function checkConfig({ words, terminal }: Call): Promise<number> {
  const loaded = loadSettings(words)
  const rows = describeSettings(loaded).map(({ variable, value, source }) => [
    `${variable}=${oneLine(value)}`,
    `# ${source}`,
  ])
  for (const line of alignColumns(rows)) terminal.print(line)
  for (const variable of loaded.ignoredVariables)
    terminal.print(`# ${variable} is ignored: Kubernetes sets such names for Services`)
  for (const warning of settingsWarnings(loaded.settings)) terminal.print(`# warning: ${warning}`)
  await checkInputs(loaded.settings)
  return 0
}
