import convict from 'convict'
import { completeSettings, type Settings } from './complete.ts'
import { type Environment, readEnvironment } from './environment.ts'
import { readSettingsFile } from './file.ts'
import { readFlags } from './flags.ts'
import { FormatError } from './format-error.ts'
import { badValue, type Given, type GivenSettings } from './given.ts'
import { schema, type SettingName, settingNames, type Values } from './schema.ts'

export interface LoadedSettings {
  readonly settings: Settings
  /** What was given, of each setting the source that won; what is missing has its default. */
  readonly given: GivenSettings
  /** Variables left alone because they look like those of Kubernetes for a Service. */
  readonly ignoredVariables: readonly string[]
}

/**
 * Reads the settings: defaults, below the file named by SYND_CONFIG, below the environment, below the flags. Throws
 * `bad-settings` with one line that says which setting is wrong and what to do.
 */
export function loadSettings(
  flags: readonly string[],
  environment: Environment = process.env,
): LoadedSettings {
  const fromFlags = readFlags(flags)
  const { given: fromEnvironment, ignored } = readEnvironment(environment)
  const file = fromFlags.get('config') ?? fromEnvironment.get('config')
  const path = file === undefined ? null : parseText('config', file)
  const fromFile: GivenSettings = path === null ? new Map() : readSettingsFile(path)

  // A text that does not fit is an error also where another source has the last word.
  for (const source of [fromFile, fromEnvironment, fromFlags])
    for (const [name, given] of source) parseText(name, given)

  const config = convict(texts, { args: [], env: byVariable(fromEnvironment) })
  // load() lays the environment over the file again; flags come last, by hand.
  config.load(byName(fromFile))
  for (const [name, { text }] of fromFlags) config.set(name, text)

  const given = new Map([...fromFile, ...fromEnvironment, ...fromFlags])
  const values = parseValues((name) => config.get(name))
  return { settings: completeSettings(values, given), given, ignoredVariables: ignored }
}

/** convict keeps the texts; none of its own formats, which take "10MB" for 10, sees them. */
const texts: convict.Schema<Record<SettingName, string>> = schema

function byName(given: GivenSettings): Record<string, string> {
  return Object.fromEntries([...given].map(([name, { text }]) => [name, text]))
}

function byVariable(given: GivenSettings): Record<string, string> {
  return Object.fromEntries([...given].map(([name, { text }]) => [schema[name].env, text]))
}

/** The values of the texts that won, each of which was tried before. */
function parseValues(textOf: (name: SettingName) => string): Values {
  return Object.fromEntries(
    settingNames.map((name) => [name, schema[name].format(textOf(name))]),
  ) as Values
}

function parseText<Name extends SettingName>(name: Name, given: Given): Values[Name] {
  try {
    return schema[name].format(given.text) as Values[Name]
  } catch (error) {
    if (error instanceof FormatError) throw badValue(name, given, error.message)
    throw error
  }
}
