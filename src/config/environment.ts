import { SyndError } from '../core/errors.ts'
import { closestName } from './close-name.ts'
import type { Given, GivenSettings } from './given.ts'
import { schema, settingNames, type SettingName } from './schema.ts'

/** A process's environment; a name that is set to nothing counts as set. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The settings given as variables, and the names that were taken for what Kubernetes injects for Services. */
export function readEnvironment(environment: Environment): {
  readonly given: GivenSettings
  readonly ignored: readonly string[]
} {
  const names = new Map<string, SettingName>(settingNames.map((name) => [schema[name].env, name]))
  const given = new Map<SettingName, Given>()
  const ignored: string[] = []
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('SYND_') || text === undefined) continue
    const name = names.get(variable)
    if (name !== undefined) given.set(name, { text, source: 'environment', where: variable })
    else if (isServiceVariable(variable)) ignored.push(variable)
    else throw unknownVariable(variable, [...names.keys()])
  }
  return { given, ignored }
}

/** This process's environment with exactly these settings of Synd, for a child process. */
export function environmentWith(
  settings: Readonly<Record<`SYND_${string}`, string>>,
  environment: Environment = process.env,
): Record<string, string | undefined> {
  const others = Object.entries(environment).filter(([variable]) => !variable.startsWith('SYND_'))
  return { ...Object.fromEntries(others), ...settings }
}

/** The variables of this process themselves, for who must change what a library reads of them. */
export function ownEnvironment(): Record<string, string | undefined> {
  return process.env
}

/** What the kubelet sets for a Service named `synd-…` (docker link variables among them). */
function isServiceVariable(variable: string): boolean {
  return /^SYND_.*(?:SERVICE_HOST|SERVICE_PORT.*|PORT|PORT_\d+_.*)$/.test(variable)
}

function unknownVariable(variable: string, variables: readonly string[]): SyndError {
  const closest = closestName(variable, variables)
  const hint =
    closest === null ? 'unset it; synd --help lists the settings' : `did you mean ${closest}?`
  return new SyndError('bad-settings', `${variable} is not a setting: ${hint}`)
}
