import { cryptoKind } from '../../src/transfer/algorithms.ts'
import { lineOf, type Measure } from './measure.ts'
import { eventLoop } from './measures/event-loop.ts'
import { idle } from './measures/idle.ts'
import { knownFiles } from './measures/known-files.ts'
import { largeFile } from './measures/large-file.ts'
import { manyFiles } from './measures/many-files.ts'
import { newFile } from './measures/new-file.ts'
import { rename } from './measures/rename.ts'
import { rivals } from './measures/rivals.ts'
import { parseOptions, usage, type Options } from './options.ts'

/** In this order: what was made before is removed before the next. */
const measures: readonly Measure[] = [
  newFile,
  rivals,
  manyFiles,
  largeFile,
  eventLoop,
  rename,
  idle,
  knownFiles,
]

const options = readOptions()
const chosen = measures.filter((measure) => isChosen(measure, options))
if (chosen.length === 0)
  fail(`no such measure; there are ${measures.map(({ name }) => name).join(', ')}`)
if (cryptoKind() === 'javascript')
  fail('ssh2 runs without its native crypto, at half the speed: run `npm rebuild ssh2` first')

for (const measure of chosen) {
  console.error(`measuring ${measure.name} …`)
  for (const figure of await measure.run(options)) console.log(lineOf(figure, commandOf(measure)))
}

function readOptions(): Options {
  try {
    return parseOptions(process.argv.slice(2))
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : String(error)}\n${usage}`)
  }
}

function isChosen({ name, needs }: Measure, { only, hasRivals, hasLarge }: Options): boolean {
  if (only !== null) return only === name
  return needs === undefined || (needs === 'rivals' ? hasRivals : hasLarge)
}

/** What gives this figure again. */
function commandOf({ name }: Measure): string {
  return `npm run bench -- --only=${name}${options.isQuick ? ' --quick' : ''}`
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}
