import { closestName } from '../config/close-name.ts'
import { SyndError } from '../core/errors.ts'
import { type Call, commands } from './commands.ts'
import { describeError, exitCodeOf } from './exit-code.ts'
import type { Terminal } from './terminal.ts'

/**
 * Runs what the words after `synd` ask for and gives the exit code; errors are on the terminal by then. `run` is the sidecar, which
 * gets its flags.
 */
export async function dispatch(
  argv: readonly string[],
  { run, terminal }: { readonly run: (call: Call) => Promise<number>; readonly terminal: Terminal },
): Promise<number> {
  try {
    const { start, words } = await choose(argv, run)
    return await start({ words, terminal })
  } catch (error) {
    terminal.complain(describeError(error))
    return exitCodeOf(error)
  }
}

type Start = (call: Call) => Promise<number>

async function choose(
  argv: readonly string[],
  run: Start,
): Promise<{ readonly start: Start; readonly words: readonly string[] }> {
  if (argv.some((word) => word === '--help' || word === '-h') || argv[0] === 'help')
    return { start: printHelp, words: [] }
  const [first] = argv
  if (first === undefined) return { start: run, words: [] }
  if (first === '--version' || first === '-V') return { start: printVersion, words: [] }
  if (first.startsWith('-')) return { start: run, words: argv }
  if (first === 'run') return { start: run, words: argv.slice(1) }
  for (const length of [1, 2]) {
    const command = commands.get(argv.slice(0, length).join(' '))
    if (command !== undefined)
      return { start: (call) => command.run(call), words: argv.slice(length) }
  }
  throw unknownCommand(argv)
}

function unknownCommand(argv: readonly string[]): SyndError {
  const words = argv.slice(0, argv[0] === 'config' ? 2 : 1).filter((word) => !word.startsWith('-'))
  const given = words.join(' ').slice(0, 120)
  const closest = closestName(given, ['run', ...commands.keys()])
  const hint = closest === null ? 'synd --help lists the commands' : `did you mean synd ${closest}?`
  return new SyndError('bad-settings', `unknown command ${JSON.stringify(given)}: ${hint}`)
}

async function printHelp({ terminal }: Call): Promise<number> {
  terminal.print((await import('./help.ts')).helpText())
  return 0
}

async function printVersion({ terminal }: Call): Promise<number> {
  terminal.print(`synd ${(await import('./version.ts')).readVersion()}`)
  return 0
}
