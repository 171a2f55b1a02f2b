import { canHaveCopy, conflictCopyPath, copyAttempts } from '../../core/conflict.ts'
import type { Entry } from '../../core/entry.ts'
import { coversDot } from '../../core/version-vector.ts'
import type { Overlay } from './overlay.ts'

/** Whether the index has the conflict copy, or its tombstone, of that content (rule 4). */
export function isCopyKnown(loser: Entry, overlay: Overlay): boolean {
  if (!canHaveCopy(loser)) return false
  for (let attempt = 0; attempt < copyAttempts; attempt++) {
    const copy = overlay.get(conflictCopyPath(loser, attempt))
    if (copy !== null && coversDot(copy.entry.version, loser.contentDot)) return true
  }
  return false
}
