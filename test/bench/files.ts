import { spawn, spawnSync } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readdirSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** `directories` × `each` files of random bytes, in `0`, `1`, …; one directory is the root itself. */
export interface TreeShape {
  readonly directories: number
  readonly each: number
  readonly sizeBytes: number
}

/** Makes the tree below `root`, which is not there yet. No two files that were ever made are alike. */
export function makeTree(root: string, { directories, each, sizeBytes }: TreeShape): void {
  const bytes = Buffer.alloc(sizeBytes)
  for (let directory = 0; directory < directories; directory++) {
    const at = directories === 1 ? root : join(root, `${directory}`)
    mkdirSync(at, { recursive: true })
    for (let file = 0; file < each; file++)
      writeFileSync(join(at, `${file}`), randomFillSync(bytes))
  }
}

/** A large file of bytes that repeat nowhere else and cannot be compressed. */
export function makeLargeFile(path: string, sizeBytes: number): void {
  const block = randomFillSync(Buffer.alloc(1024 * 1024))
  const file = openSync(path, 'w')
  for (let offset = 0; offset < sizeBytes; offset += block.length) {
    block.writeDoubleBE(offset)
    writeSync(file, block, 0, Math.min(block.length, sizeBytes - offset))
  }
  closeSync(file)
}

/** Tells again and again whether all of a tree is there; looks only at what was not. */
export function treeIsThere(root: string, { directories, each }: TreeShape): () => boolean {
  let missing =
    directories === 1 ? [root] : Array.from({ length: directories }, (_, n) => join(root, `${n}`))
  return () => {
    missing = missing.filter((directory) => countIn(directory) < each)
    return missing.length === 0
  }
}

function countIn(directory: string): number {
  try {
    return readdirSync(directory).length
  } catch {
    return 0
  }
}

/** What was written before is not written back while something is measured. */
export function syncDisks(): void {
  spawnSync('sync')
}

/** Runs a program to its end; throws with what it said when that is not 0. */
export async function run(program: string, ...words: readonly string[]): Promise<void> {
  const child = spawn(program, words, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${said}`)
}

/** Seconds that `work` takes. */
export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const beginMs = performance.now()
  await work()
  return (performance.now() - beginMs) / 1000
}
