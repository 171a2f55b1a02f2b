import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from './cache.ts'

export interface ShellBlock {
  /** What the fence says after `sh on `: which host. */
  readonly where: string
  readonly script: string
}

/** The shell blocks of a file that say where they are to be pasted: fences that begin with "```sh on …". */
export function shellBlocks(path: string): readonly ShellBlock[] {
  const text = readFileSync(join(repository, path), 'utf8')
  return [...text.matchAll(/^```sh on (.*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    where: match[1] ?? '',
    script: match[2] ?? '',
  }))
}

/** The YAML blocks of a file, indented or not, without their indentation. */
export function yamlBlocks(path: string): readonly string[] {
  const text = readFileSync(join(repository, path), 'utf8')
  return [...text.matchAll(/^( *)```yaml\n([\s\S]*?)^ *```$/gm)].map((match) =>
    (match[2] ?? '').replaceAll(new RegExp(`^${match[1] ?? ''}`, 'gm'), ''),
  )
}
