import type { Loser } from '../../core/conflict.ts'
import type { Entry } from '../../core/entry.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import type { Overlay } from './overlay.ts'

/** Gives bytes that lose a name another one before they lose it. */
export interface Copies {
  /** The bytes have a name of their own already. */
  has(loser: Loser, overlay: Overlay): boolean
  /** Of what the disk holds under the loser's name. False: the disk is not as was thought, look and decide again. */
  ofLocal(loser: Loser, overlay: Overlay): Promise<boolean>
  /** Of what was written into a file while it was replaced; true when nothing of it is lost (rule 22). */
  ofHold(
    id: string,
    was: { path: RelativePath; known: Entry | null },
    overlay: Overlay,
  ): Promise<boolean>
}
