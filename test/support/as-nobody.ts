import { chownSync } from 'node:fs'

/** Debian's nobody and nogroup. */
const nobody = 65534

const isRoot = process.getuid?.() === 0

/** Runs the body as a user without rights: as nobody where the tests run as root, else as who runs them. */
export async function asNobody(body: () => Promise<void>): Promise<void> {
  if (!isRoot) return body()
  process.setegid?.(nobody)
  process.seteuid?.(nobody)
  try {
    await body()
  } finally {
    process.seteuid?.(0)
    process.setegid?.(0)
  }
}

/** Makes a directory or file that user's. */
export function giveToNobody(path: string): void {
  if (isRoot) chownSync(path, nobody, nobody)
}
