import ignore from 'ignore'
import { ignoreFilePath, nothingIgnored, type IgnoreRules } from '../core/ignore.ts'
import { maxPathBytes, type RelativePath } from '../core/relative-path.ts'
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
      if (bytes.length > maxBytes)
        return `${ignoreFilePath} has more than ${maxBytes / 1024} KiB: shorten it`
      return parseIgnoreRules(Buffer.from(bytes).toString('latin1'))
    } finally {
      file.close()
    }
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    return `${ignoreFilePath} cannot be read (${error.errno})`
  }
}

/** The patterns of gitignore(5), byte by byte as git has it; paths and text are latin1, one char a byte. */
export function parseIgnoreRules(text: string): IgnoreRules {
  if (text === '') return nothingIgnored
  const lines = text.replace(utf8Mark, '').split('\n').filter(isPattern)
  const patterns = ignore({ ignorecase: false }).add(lines.map(shift))
  return {
    text,
    matches: (path: RelativePath, isDirectory: boolean) =>
      patterns.ignores(shift(isDirectory ? `${path}/` : path).replaceAll('\n', shiftedNewline)),
  }
}

/** Longer than a path can be, each byte escaped: it names nothing, and its regular expression may be too long to be made. */
const maxLineBytes = 2 * maxPathBytes

/** A regular expression takes ever longer for each of them; nobody needs so many, and who means harm must not hold up everybody. */
const maxWildcards = 8

/** Lines that say something; others say nothing. */
function isPattern(line: string): boolean {
  return line.length <= maxLineBytes && (line.match(/\*+/g)?.length ?? 0) <= maxWildcards
}

/** What some editors put at the start of a file in UTF-8. */
const utf8Mark = /^\xef\xbb\xbf/

/** For the package 0xa0 is a space, though to us it is a byte of a letter: such chars are moved to where Unicode has nothing. */
function shift(latin1: string): string {
  return latin1.replace(/[\x80-\xff]/g, (char) =>
    String.fromCharCode(firstShifted + char.charCodeAt(0)),
  )
}

const firstShifted = 0xf000

/** For the package a name ends at a newline; no pattern has one. */
const shiftedNewline = String.fromCharCode(firstShifted + 10)
