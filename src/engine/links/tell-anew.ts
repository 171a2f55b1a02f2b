import { sameContent, sameEntry, type Entry } from '../../core/entry.ts'
import { mergeOver } from '../../core/merge.ts'
import type { Sequence } from '../../core/protocol.ts'
import { compareVectors } from '../../core/version-vector.ts'
import type { Ledger } from '../ledger.ts'
import type { Store } from '../ports.ts'

/**
 * Who announces a version that has not seen ours, though we told ours before, or it was theirs, may have forgotten it: a power loss took it, or
 * a backup was restored. What it says of ours from now on counts (rule 17), so ours gets a new sequence. `isTold`: it will be heard, or is just being judged.
 */
export function tellAnew(
  { store, ledger }: { store: Store; ledger: Ledger },
  announced: Iterable<Entry>,
  isTold: (sequence: Sequence) => boolean,
): void {
  const puts = []
  for (const theirs of announced) {
    const record = store.get(theirs.path)
    if (record === null || record.sequence === 0 || isTold(record.sequence)) continue
    const { entry, observation } = record
    if (!hasSeen(theirs, entry)) puts.push({ entry, observation, isAnnounced: true, seenMs: null })
  }
  if (puts.length > 0) ledger.commit(puts)
}

/** Who announced `theirs` has nothing to learn of `ours`: no later write, nor what the greater mode or mtime of both is (rule 6). */
function hasSeen(theirs: Entry, ours: Entry): boolean {
  const order = compareVectors(theirs.version, ours.version)
  if (order !== 'equal') return order === 'ahead'
  return sameContent(theirs, ours) && sameEntry(mergeOver(theirs, ours), theirs)
}
