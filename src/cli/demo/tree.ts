import { lstatSync, readdirSync, readlinkSync, type BigIntStats } from 'node:fs'

/** What `synd demo` sees of one path. */
export interface Item {
  readonly kind: 'file' | 'folder' | 'link'
  /** Equal on two sides when what Synd keeps equal is: kind, size, mtime, mode and link text. */
  readonly fingerprint: string
  /** When it last changed, as this machine's clock says. */
  readonly changedMs: number
}

/** By path, one character a byte. */
export type Tree = ReadonlyMap<string, Item>

/** Looks at everything below `root` but `.synd`; what goes away meanwhile is left out. */
export function readTree(root: string): Tree {
  const tree = new Map<string, Item>()
  const base = Buffer.from(root).toString('latin1')
  const directories = ['']
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop())
    for (const name of namesIn(`${base}/${directory}`)) {
      const path = directory === '' ? name : `${directory}/${name}`
      const item = name === '.synd' ? null : lookAt(`${base}/${path}`)
      if (item === null) continue
      tree.set(path, item)
      if (item.kind === 'folder') directories.push(path)
    }
  return tree
}

function namesIn(directory: string): readonly string[] {
  const names = orNull(() => readdirSync(toBytes(directory), { encoding: 'buffer' })) ?? []
  return names.map((name) => name.toString('latin1'))
}

function lookAt(path: string): Item | null {
  const stat = orNull(() => lstatSync(toBytes(path), { bigint: true }))
  if (stat === null) return null
  const changedMs = Number(stat.ctimeNs) / 1e6
  if (stat.isDirectory())
    return { kind: 'folder', fingerprint: `folder ${modeOf(stat)}`, changedMs }
  if (stat.isFile()) {
    const mtimeUs = stat.mtimeNs / 1000n
    return { kind: 'file', fingerprint: `file ${stat.size} ${mtimeUs} ${modeOf(stat)}`, changedMs }
  }
  if (!stat.isSymbolicLink()) return null
  const text = orNull(() => readlinkSync(toBytes(path), { encoding: 'buffer' }))
  return text === null
    ? null
    : { kind: 'link', fingerprint: `link ${text.toString('latin1')}`, changedMs }
}

function modeOf(stat: BigIntStats): string {
  return (stat.mode & 0o777n).toString(8)
}

function toBytes(path: string): Buffer {
  return Buffer.from(path, 'latin1')
}

/** Null for what is gone, or was made unreadable. */
function orNull<Result>(look: () => Result): Result | null {
  try {
    return look()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES' || code === 'EINVAL')
      return null
    throw error
  }
}
