import { parseRelativePath, type RelativePath } from './relative-path.ts'

/** Says what is not synced: one file, in the root, synced itself and never ignorable (rule 14). */
export const ignoreFilePath: RelativePath = parseRelativePath('.syndignore')

/** What `.syndignore` says, as gitignore(5) has it. */
export interface IgnoreRules {
  /** The file's content, latin1; '' where there is none. */
  readonly text: string
  /** True for what is named, and for everything below a directory that is. */
  readonly matches: (path: RelativePath, isDirectory: boolean) => boolean
}

export const nothingIgnored: IgnoreRules = { text: '', matches: () => false }

/** Rule 14 for one path. */
export function isIgnoredBy(rules: IgnoreRules, path: RelativePath, isDirectory: boolean): boolean {
  return path !== ignoreFilePath && rules.matches(path, isDirectory)
}
