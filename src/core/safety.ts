/** What a look found gone, before anything is stamped (rule 19). */
export interface Disappearance {
  /** Live entries of the index before the look. */
  readonly known: number
  /** Live files among them. */
  readonly knownFiles: number
  /** Entries that are gone now and that no event announced, renames paired off. */
  readonly goneSilently: number
  /** Files that are gone now, renames paired off. */
  readonly goneFiles: number
  /** Files found that the index does not know yet. */
  readonly newFiles: number
  readonly isFullScan: boolean
}

/** Fewer silent losses than this are never held: people do delete a hundred files. */
const heldAtLeast = 100

/** A volume with more files than this is never emptied at one look without asking. */
const emptiedAbove = 10

/** Which deletes of a look wait for `synd approve`: none, those that no event announced, or all; renames never do. */
export type HeldShare = 'none' | 'silent' | 'all'

/** Rule 19. `share` is SYND_DELETE_BRAKE (0 to 1), null: the brake is off. */
export function deletesToHold(found: Disappearance, share: number | null): HeldShare {
  if (share === null) return 'none'
  const isEmptied =
    found.knownFiles > emptiedAbove && found.goneFiles >= found.knownFiles && found.newFiles === 0
  if (isEmptied) return 'all'
  const isMassLoss =
    found.isFullScan && found.goneSilently > heldAtLeast && found.goneSilently > share * found.known
  return isMassLoss ? 'silent' : 'none'
}
