import type { RelativePath } from '../../core/relative-path.ts'
import type { Volume } from '../ports.ts'

/**
 * Tells whether something else has the place of a directory; what is `spared` counts as the directory. Each is looked at once: for one pass over many
 * paths.
 */
export function crowding(
  volume: Pick<Volume, 'look'>,
  spared: (directory: RelativePath) => boolean = () => false,
): (directory: RelativePath) => boolean {
  const known = new Map<RelativePath, boolean>()
  const isCrowded = (directory: RelativePath): boolean => {
    const look = volume.look(directory)
    return look.kind === 'present' && look.observation.kind !== 'directory' && !spared(directory)
  }
  return (directory) => {
    const answer = known.get(directory) ?? isCrowded(directory)
    known.set(directory, answer)
    return answer
  }
}
