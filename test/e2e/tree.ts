import { createHash } from 'node:crypto'
import { lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'

/**
 * Everything that travels, by path (latin1): kind, permission bits, of files the mtime in µs and the SHA-256, of links the target. `.synd` in the
 * root is left out.
 */
export function readTree(root: string): Map<string, string> {
  const found = new Map<string, string>()
  collect(Buffer.from(root), '', found)
  return found
}

function collect(directory: Buffer, prefix: string, found: Map<string, string>): void {
  const names = readdirSync(directory, { encoding: 'buffer' }).toSorted((a, b) =>
    Buffer.compare(a, b),
  )
  for (const name of names) {
    const path = prefix + name.toString('latin1')
    if (path === '.synd') continue
    const at = Buffer.concat([directory, Buffer.from('/'), name])
    const shown = show(at)
    if (shown === null) continue
    found.set(path, shown)
    if (shown.startsWith('d ')) collect(at, `${path}/`, found)
  }
}

/** One line about what is at a place; null where nothing is, or what does not travel. */
export function show(at: Buffer | string): string | null {
  const stat = lstatSync(at, { bigint: true, throwIfNoEntry: false })
  if (stat === undefined) return null
  const mode = (Number(stat.mode) & 0o777).toString(8)
  if (stat.isDirectory()) return `d ${mode}`
  if (stat.isSymbolicLink())
    return `l ${readlinkSync(at, { encoding: 'buffer' }).toString('latin1')}`
  if (!stat.isFile()) return null
  const digest = createHash('sha256').update(readFileSync(at)).digest('hex')
  return `f ${mode} ${stat.mtimeNs / 1000n} ${digest}`
}

/** In words what differs, at most ten lines; null when nothing does. */
export function treeDifference(
  a: ReadonlyMap<string, string>,
  b: ReadonlyMap<string, string>,
): string | null {
  const differing = [...new Set([...a.keys(), ...b.keys()])].filter(
    (path) => a.get(path) !== b.get(path),
  )
  if (differing.length === 0) return null
  const lines = differing
    .slice(0, 10)
    .map((path) => `${JSON.stringify(path)}: ${a.get(path)} | ${b.get(path)}`)
  return [`${differing.length} paths differ`, ...lines].join('\n')
}
