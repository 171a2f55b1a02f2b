import { SyndError } from '../core/errors.ts'

/** Takes `--name value` or `--name=value` of a command out of its words; what is left are settings. */
export function takeOption(
  words: readonly string[],
  name: string,
): { readonly value: string | null; readonly rest: readonly string[] } {
  const at = words.findIndex((word) => word === name || word.startsWith(`${name}=`))
  const word = words[at]
  if (word === undefined) return { value: null, rest: words }
  const isJoined = word !== name
  const value = isJoined ? word.slice(name.length + 1) : words[at + 1]
  if (value === undefined || value === '' || (!isJoined && value.startsWith('--')))
    throw new SyndError('bad-settings', `${name} has no value: write ${name}=VALUE`)
  return { value, rest: words.toSpliced(at, isJoined ? 1 : 2) }
}

/** Takes the switch out of the words. */
export function takeSwitch(
  words: readonly string[],
  name: string,
): { readonly isGiven: boolean; readonly rest: readonly string[] } {
  const rest = words.filter((word) => word !== name)
  return { isGiven: rest.length < words.length, rest }
}
