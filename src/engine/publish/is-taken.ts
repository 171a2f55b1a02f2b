import type { Look } from '../../core/observation.ts'
import type { RelativePath } from '../../core/relative-path.ts'

/** Something has the name that counts: what is ignored does not (rule 14), what cannot be looked at may. */
export function isTaken(
  path: RelativePath,
  look: Look,
  isIgnored: (path: RelativePath, isDirectory: boolean) => boolean,
): boolean {
  if (look.kind === 'present') return !isIgnored(path, look.observation.kind === 'directory')
  return look.kind === 'unreadable'
}
