import { SyndError } from '../core/errors.ts'
import { closestName } from './close-name.ts'
import type { Given, GivenSettings } from './given.ts'
import { flagOf, settingNames, type SettingName } from './schema.ts'

/** The settings given as `--flag value` or `--flag=value`. convict's own reading is not used: it ignores flags it does not know. */
export function readFlags(argv: readonly string[]): GivenSettings {
  const names = new Map(settingNames.map((name) => [flagOf(name), name]))
  const given = new Map<SettingName, Given>()
  const words = [...argv]
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const equals = word.indexOf('=')
    const flag = equals < 0 ? word : word.slice(0, equals)
    const name = names.get(flag)
    if (name === undefined) throw unknownWord(flag, [...names.keys()])
    if (given.has(name))
      throw new SyndError('bad-settings', `${flag} is given twice: drop one of them`)
    const text = equals < 0 ? words.shift() : word.slice(equals + 1)
    if (text === undefined || (equals < 0 && text.startsWith('--')))
      throw new SyndError('bad-settings', `${flag} has no value: write ${flag}=VALUE`)
    given.set(name, { text, source: 'flag', where: flag })
  }
  return given
}

function unknownWord(word: string, flags: readonly string[]): SyndError {
  const shown = JSON.stringify(word.slice(0, 120))
  if (!word.startsWith('-'))
    return new SyndError('bad-settings', `unexpected argument ${shown}: see synd --help`)
  const closest = closestName(word, flags)
  const hint = closest === null ? 'see synd --help' : `did you mean ${closest}?`
  return new SyndError('bad-settings', `unknown flag ${shown}: ${hint}`)
}
