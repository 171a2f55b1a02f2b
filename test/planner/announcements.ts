import { isLive, type Entry } from '../../src/core/entry.ts'
import { isBelow, parentOf, type RelativePath } from '../../src/core/relative-path.ts'
import type { Put } from '../../src/engine/ledger.ts'
import { Failure } from './failure.ts'

/** One entry of a round. */
export interface Step extends Put {
  readonly replacesDirectory: boolean
}

/**
 * A message may end behind any entry (rule 15). Whoever holds what was announced before, and so far of this round, must have a tree in which
 * everything has its directory, and must not have lost what is only under another name by the end of the round.
 */
export function checkAnnouncements(before: Iterable<Entry>, steps: readonly Step[]): void {
  const seen = new Map<RelativePath, Entry>()
  for (const entry of before) if (isLive(entry)) seen.set(entry.path, entry)
  for (const [i, { entry }] of steps.entries()) {
    const { path } = entry
    const parent = parentOf(path)
    if (isLive(entry) && parent !== null && seen.get(parent)?.kind !== 'directory')
      throw new Failure('plan', `${path} is announced before its directory`)
    if (entry.kind !== 'directory') {
      const child = [...seen.keys()].find((other) => isBelow(other, path))
      if (child !== undefined)
        throw new Failure('plan', `${path} is announced as ${entry.kind} before ${child} is gone`)
    }
    if (entry.kind === 'tombstone' && isRenamedLater(seen.get(path), steps.slice(i + 1)))
      throw new Failure('plan', `${path} is announced as gone before it has its new name`)
    if (isLive(entry)) seen.set(path, entry)
    else seen.delete(path)
  }
}

/** What takes the place of a directory cannot come before that is empty. */
function isRenamedLater(gone: Entry | undefined, later: readonly Step[]): boolean {
  return later.some(
    ({ entry, replacesDirectory }) =>
      gone?.kind === 'file' &&
      entry.kind === 'file' &&
      entry.digest === gone.digest &&
      !replacesDirectory,
  )
}
