import type { LoadedSettings } from './settings.ts'
import { givenOf, maskText } from './given.ts'
import { schema, settingNames, settingOf } from './schema.ts'

export interface DescribedSetting {
  readonly variable: string
  /** As given, or the default; secrets masked. */
  readonly value: string
  readonly source: 'default' | 'file' | 'environment' | 'flag'
}

/** Every setting with its value and where that came from, for people; secrets masked. */
export function describeSettings({ settings, given }: LoadedSettings): readonly DescribedSetting[] {
  const effective: Readonly<Record<string, unknown>> = { ...settings }
  return settingNames.map((name) => {
    const { text, source } = givenOf(name, given, settingOf(name).default)
    const isSecret = settingOf(name).sensitive === true && text !== ''
    const value = effective[name]
    // Paths as they are after the working directory is put before them.
    const shown = typeof value === 'string' ? value : text
    return { variable: schema[name].env, value: isSecret ? '********' : maskText(shown), source }
  })
}
