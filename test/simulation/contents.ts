import { createHash } from 'node:crypto'
import { parseDigest, type Digest } from '../../src/core/digest.ts'
import type { Hands } from '../support/hands.ts'

/** The contents of all files at `path` and below; '' is everything. */
export function contentsBelow(hands: Hands, path: string): string[] {
  return filesBelow(hands, path).map(([, content]) => content)
}

/** The same, each with its path. */
export function filesBelow(hands: Hands, path: string): [path: string, content: string][] {
  const files: [string, string][] = []
  for (const [at, shown] of hands.tree()) {
    if (path !== '' && at !== path && !at.startsWith(`${path}/`)) continue
    const content = contentOf(shown)
    if (content !== null) files.push([at, content])
  }
  return files
}

/** What a file holds, of how `Hands.tree` shows it; null for what is no file. */
export function contentOf(shown: string): string | null {
  return /^f \d+ (.*)$/s.exec(shown)?.[1] ?? null
}

export function digestOf(content: string): Digest {
  return parseDigest(createHash('sha256').update(content, 'latin1').digest('hex'))
}

/** All file contents on a disk, also those in hold. */
export function contentsOn(hands: Hands): string[] {
  return [...contentsBelow(hands, ''), ...contentsInHold(hands)]
}

/** Those in hold alone. */
export function contentsInHold(hands: Hands): string[] {
  try {
    return [...hands.tree('.synd/hold').values()].map(contentOf).filter((one) => one !== null)
  } catch {
    // No process was ever there.
    return []
  }
}
