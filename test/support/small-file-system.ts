import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** An ext4 of its own, so that a test can fill it. */
export interface SmallFileSystem extends Disposable {
  /** Its root. */
  readonly path: string
  /** Writes a file that takes all the space there is; remove it to have it back. */
  fill(name: string): void
  setReadOnly(): void
}

/** Whether this process may mount; a test that needs it is skipped elsewhere, but never in CI. */
export const canMount = process.getuid?.() === 0 || process.env['CI'] === 'true'

export function mountSmallFileSystem(sizeBytes: number): SmallFileSystem {
  const directory = mkdtempSync(join(tmpdir(), 'synd-small-'))
  const image = join(directory, 'image')
  const path = join(directory, 'mounted')
  mkdirSync(path)
  writeFileSync(image, '')
  truncateSync(image, sizeBytes)
  // No blocks reserved for root, who runs the tests.
  run('mkfs.ext4', ['-q', '-F', '-m', '0', '-O', '^has_journal', image])
  run('mount', ['-o', 'loop', image, path])
  return {
    path,
    fill: (name) => fill(join(path, name)),
    setReadOnly: () => run('mount', ['-o', 'remount,ro', path]),
    // Lazily: a test that failed may have left a file open.
    [Symbol.dispose]: () => {
      run('umount', ['-l', path])
      rmSync(directory, { recursive: true })
    },
  }
}

function run(program: string, operands: readonly string[]): void {
  execFileSync(program, operands)
}

function fill(path: string): void {
  for (const chunkBytes of [1 << 20, 1 << 16, 1 << 12, 1 << 10]) {
    const chunk = Buffer.alloc(chunkBytes)
    while (hasRoomFor(path, chunk)) continue
  }
}

function hasRoomFor(path: string, chunk: Buffer): boolean {
  try {
    writeFileSync(path, chunk, { flag: 'a', flush: true })
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return false
    throw error
  }
}
