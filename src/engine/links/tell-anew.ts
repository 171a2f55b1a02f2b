import { sameContent, type Entry } from '../../core/entry.ts'
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
    const order = compareVectors(theirs.version, entry.version)
    const hasSeen = order === 'ahead' || (order === 'equal' && sameContent(theirs, entry))
    if (!hasSeen) puts.push({ entry, observation, isAnnounced: true, seenMs: null })
  }
  if (puts.length > 0) ledger.commit(puts)
}
