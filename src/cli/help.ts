import { describeDefault, flagOf, settingNames, settingOf } from '../config/schema.ts'
import { commands } from './commands.ts'
import { alignColumns } from './columns.ts'

/** The text of `synd --help`: commands and settings. */
export function helpText(): string {
  const usages = [
    ['run', 'run the sidecar until SIGTERM (also without a command)'],
    ...[...commands.values()].map(({ usage, summary }) => [usage, summary]),
    ['--help, --version', ''],
  ]
  const settings = settingNames.map((name) => [
    settingOf(name).env,
    flagOf(name),
    describeDefault(name),
    settingOf(name).doc,
  ])
  return [
    'synd keeps a directory equal on several hosts.',
    '',
    'Usage: synd [command] [--setting value …]',
    '',
    ...alignColumns(usages).map((line) => `  ${line}`),
    '',
    'Settings, each as variable, flag or key of the file in SYND_CONFIG (defaults < file < variable < flag):',
    '',
    ...alignColumns([['variable', 'flag', 'default', ''], ...settings]).map((line) => `  ${line}`),
    '',
    'Exit codes: 0 done, 78 something has to be set up first (one line says what), 1 anything else.',
  ].join('\n')
}
