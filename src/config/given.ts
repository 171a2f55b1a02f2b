import { SyndError } from '../core/errors.ts'
import { describeDefault, schema, type SettingName } from './schema.ts'

/** The text that a source gives for a setting. */
export interface Given {
  readonly text: string
  readonly source: 'default' | 'file' | 'environment' | 'flag'
  /** How somebody finds it again: `SYND_MODE`, `--mode`, `mode in /etc/synd.yaml`. */
  readonly where: string
}

export type GivenSettings = ReadonlyMap<SettingName, Given>

/** The one line for a text that does not fit: which setting, what was given, what was expected, what to do. */
export function badValue(name: SettingName, given: Given, expected: string): SyndError {
  const fallback = describeDefault(name)
  return new SyndError(
    'bad-settings',
    `${given.where} is ${quoteGiven(given.text)}: expected ${expected}; correct it, or leave it out for the default (${fallback})`,
  )
}

/** What was given for the setting, or `text` as its default. */
export function givenOf(name: SettingName, given: GivenSettings, text: string): Given {
  return given.get(name) ?? { text, source: 'default', where: schema[name].env }
}

/** What was given, on one line, cut, and without a password or key pasted into it. */
function quoteGiven(text: string): string {
  const masked = maskText(text)
  return JSON.stringify(masked.length > 120 ? `${masked.slice(0, 120)}…` : masked)
}

/** The text without the password of a URL or a key that somebody pasted into it. */
export function maskText(text: string): string {
  if (text.includes('PRIVATE KEY')) return '********'
  return text.replace(/(:\/\/[^:/@]*):[^/]*@/, '$1:********@')
}
