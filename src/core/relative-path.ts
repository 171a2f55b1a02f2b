import { SyndError } from './errors.ts'

declare const brand: unique symbol

/**
 * A path inside the volume, relative to its root: one char a byte (latin1), components joined by `/`, nothing normalised.
 * Usable as Map key, ordered by bytes with `<`. Never empty: the root is not an entry.
 */
export type RelativePath = string & { readonly [brand]: 'RelativePath' }

/** Linux PATH_MAX is 4,096 with the closing NUL. */
export const maxPathBytes = 4095

/** Linux NAME_MAX. */
export const maxNameBytes = 255

/** The directory in the volume's root that is Synd's own, and, as any component, a name that is never synced. */
export const reservedName = '.synd'

/** Why `text` is no relative path, in words, or null when it is one. `text` is latin1: one char a byte. */
export function pathRefusal(text: string): string | null {
  if (isPlain.test(text)) return null
  if (text.length === 0) return 'empty path'
  if (text.length > maxPathBytes) return `path of ${text.length} bytes (at most ${maxPathBytes})`
  if (text.startsWith('/')) return 'absolute path'
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0) return 'NUL in path'
    if (code > 255) return 'path is not one char a byte'
  }
  for (const name of text.split('/')) {
    const refusal = nameRefusal(name)
    if (refusal !== null) return refusal
  }
  return null
}

/** What most paths are, told at one go: short, and no component begins with a dot. */
const isPlain = /^(?:[\x01-\x2d\x30-\xff][\x01-\x2e\x30-\xff]{0,63}(?:\/(?!$)|$)){1,60}$/

function nameRefusal(name: string): string | null {
  if (name.length === 0) return 'empty path component'
  if (name === '.' || name === '..') return `path component "${name}"`
  if (name === reservedName) return `path component "${reservedName}" is Synd's own`
  if (name.length > maxNameBytes) {
    return `path component of ${name.length} bytes (at most ${maxNameBytes})`
  }
  return null
}

/** The only way to a RelativePath from bytes that came from outside; throws `bad-path`. */
export function parseRelativePath(text: string): RelativePath {
  const refusal = pathRefusal(text)
  if (refusal !== null) throw new SyndError('bad-path', refusal)
  return text as RelativePath
}

/** The path of `name` below `parent` (null: the root); throws `bad-path` for what cannot be synced. */
export function joinPath(parent: RelativePath | null, name: string): RelativePath {
  return parseRelativePath(parent === null ? name : `${parent}/${name}`)
}

/** The directory that holds `path`; null is the root. */
export function parentOf(path: RelativePath): RelativePath | null {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? null : (path.slice(0, slash) as RelativePath)
}

/** The last component. */
export function nameOf(path: RelativePath): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** All directories above `path`, outermost first. */
export function ancestorsOf(path: RelativePath): RelativePath[] {
  const ancestors: RelativePath[] = []
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    ancestors.push(path.slice(0, slash) as RelativePath)
  }
  return ancestors
}

/** How many directories are above `path`. */
export function depthOf(path: RelativePath): number {
  let depth = 0
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) depth++
  return depth
}

/** True when `path` lies anywhere below `directory`. */
export function isBelow(path: RelativePath, directory: RelativePath): boolean {
  return (
    path.length > directory.length && path.startsWith(directory) && path[directory.length] === '/'
  )
}

/**
 * For people only: UTF-8 where it is UTF-8, U+FFFD elsewhere; what a terminal or a reader could take for more than a letter is escaped
 * (control characters, also those of two bytes; separators of lines; marks that turn the writing direction around).
 */
export function toText(path: string): string {
  const bytes = Uint8Array.from(path, (char) => char.charCodeAt(0))
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (char) => {
      const code = char.charCodeAt(0)
      const hex = code.toString(16)
      return code > 0xff ? `\\u${hex.padStart(4, '0')}` : `\\x${hex.padStart(2, '0')}`
    },
  )
}
