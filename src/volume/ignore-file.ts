import ignore from 'ignore'
import { ignoreFilePath, nothingIgnored, type IgnoreRules } from '../core/ignore.ts'
import type { RelativePath } from '../core/relative-path.ts'
import { DiskError, type Disk } from './disk.ts'

/** More than anybody writes by hand; every path is compared with every line. */
const maxBytes = 256 * 1024

/** What `.syndignore` says now; in words why it cannot be known. No such file, or something else under its name, says nothing. */
export async function readIgnoreRules(disk: Disk): Promise<IgnoreRules | string> {
  try {
    const stat = disk.lstat(ignoreFilePath)
    if (stat?.kind !== 'file') return nothingIgnored
    const file = disk.openForReading(ignoreFilePath)
    try {
      const bytes = await file.read(0, maxBytes + 1)
      if (bytes.length > maxBytes) return `${ignoreFilePath} has more than ${maxBytes / 1024} KiB`
      return parseIgnoreRules(Buffer.from(bytes).toString('latin1'))
    } finally {
      file.close()
    }
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    return `${ignoreFilePath} cannot be read (${error.errno})`
  }
}

/** The patterns of gitignore(5); paths and patterns are latin1, one char a byte. */
export function parseIgnoreRules(text: string): IgnoreRules {
  if (text === '') return nothingIgnored
  const patterns = ignore({ ignorecase: false }).add(text)
  return {
    text,
    matches: (path: RelativePath, isDirectory: boolean) =>
      patterns.ignores(isDirectory ? `${path}/` : path),
  }
}
