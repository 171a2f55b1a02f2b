import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A directory for the test that runs now, gone when it is over. */
export function temporaryDirectory(name: string): string {
  const directory = mkdtempSync(join(tmpdir(), `synd-${name}-`))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
