import { reservedName } from '../../core/relative-path.ts'
import { DiskError, errnoOf, type Disk, type DiskPath } from '../disk.ts'
import { removeIfThere } from '../staging/stage.ts'
import { directoryOf, type ApplyContext } from './context.ts'

/** How the name of a stage begins; what a crash left is known by it. */
const stagePrefix = 'synd-stage-'

/** Of what was taken away; it may be the only copy and is never swept. */
const holdPrefix = 'synd-hold-'

/** A name in a `.synd` directory next to the target, for mounts inside the volume: `.synd` of the root cannot be linked to or from. */
export interface Beside {
  readonly path: DiskPath
  /** Removes what is still there, and the directory when it is empty. */
  remove(): void
}

/** Makes room beside `target`; DiskErrors come through. */
export function makeBeside(
  context: ApplyContext,
  target: DiskPath,
  role: 'stage' | 'hold',
): Beside {
  const { disk, ids, besides } = context
  const parent = directoryOf(target)
  const directory = parent === '' ? reservedName : `${parent}/${reservedName}`
  try {
    disk.mkdir(directory, 0o700)
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
    sweep(context, directory)
  }
  const path = `${directory}/${role === 'stage' ? stagePrefix : holdPrefix}${ids.id64()}`
  besides.add(path)
  return {
    path,
    remove: () => {
      besides.delete(path)
      removeIfThere(disk, path)
      removeWhenEmpty(disk, directory)
    },
  }
}

/** A volume nested in this one has such a directory too: only what bears our prefix is ours. */
function sweep({ disk, besides }: ApplyContext, directory: DiskPath): void {
  for (const name of disk.list(directory)) {
    const path = `${directory}/${name}`
    if (name.startsWith(stagePrefix) && !besides.has(path)) removeIfThere(disk, path)
  }
}

function removeWhenEmpty(disk: Disk, directory: DiskPath): void {
  if (directory === reservedName) return
  try {
    disk.rmdir(directory)
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
  }
}
