import { createHash } from 'node:crypto'
import { inflateSync } from 'node:zlib'

/** How to tell from the bytes of a program's file whether it is whole. */
export interface Judge {
  /** Paths of files that tell it; the others are not read. */
  readonly reads: RegExp
  /** What is wrong with the file; null: it is whole. */
  readonly faultOf: (path: string, content: Buffer) => string | null
}

export type Program = 'git' | 'npm' | 'sqlite'

/** Paths are below the directory that is read. */
export const judges: Readonly<Record<Program, Judge>> = {
  // All that git makes under another name first: with its digest at its end or in its name, or one line.
  git: {
    reads:
      /\.git\/(?:objects\/[0-9a-f]{2}\/[0-9a-f]{38}|index|objects\/pack\/pack-[0-9a-f]{40}\.(?:pack|idx|rev)|HEAD|refs\/heads\/[^/.]+)$/,
    faultOf: (path, content) => {
      const [, directory, name] = /objects\/(..)\/([0-9a-f]{38})$/.exec(path) ?? []
      if (directory !== undefined && name !== undefined)
        return faultOfObject(`${directory}${name}`, content)
      if (/(?:HEAD|refs\/heads\/[^/]+)$/.test(path)) {
        const text = content.toString('latin1')
        return /^(?:[0-9a-f]{40}|ref: refs\/heads\/[^/\n]+)\n$/.test(text) ? null : text
      }
      const isWhole = sha1(content.subarray(0, -20)) === content.subarray(-20).toString('hex')
      return isWhole ? null : 'another digest at its end'
    },
  },
  npm: {
    reads: /\/package\.json$/,
    faultOf: (_path, content) => {
      try {
        JSON.parse(content.toString('utf8'))
        return null
      } catch (error) {
        return String(error)
      }
    },
  },
  // https://www.sqlite.org/fileformat2.html: whole pages under a header, and a log that begins with a number of its own. Both may be empty.
  sqlite: {
    reads: /\bapp\.db(?:-wal)?$/,
    faultOf: (path, content) => {
      if (content.length === 0) return null
      if (path.endsWith('-wal')) {
        const isLog = content.length >= 32 && (content.readUInt32BE(0) & ~1) === 0x377f0682
        return isLog ? null : 'no header of a log'
      }
      if (!content.toString('latin1', 0, 16).startsWith('SQLite format 3\0')) return 'no header'
      return content.length % content.readUInt16BE(16) === 0 ? null : 'part of a page'
    },
  },
}

/** A loose object: deflated, named for what it is. */
function faultOfObject(name: string, content: Buffer): string | null {
  try {
    const digest = sha1(inflateSync(content))
    return digest === name ? null : `it is ${digest}`
  } catch (error) {
    return String(error)
  }
}

function sha1(content: Buffer): string {
  return createHash('sha1').update(content).digest('hex')
}
