import type { Applied, Change } from '../../engine/ports.ts'
import { DiskError } from '../disk.ts'
import { FileStage } from '../staging/stage.ts'
import type { ApplyContext } from './context.ts'
import { makeDirectory, makeSymlink } from './make.ts'
import { setMetadata } from './metadata.ts'
import { move } from './move.ts'
import { publish } from './publish.ts'
import { remove } from './remove.ts'

/**
 * One step on the disk (rule 22). Between the look that compares with the index and the call that changes, nothing of this program
 * runs: what is asynchronous comes before or after. At any moment a crash leaves the old or the new thing, or the old one in hold.
 */
export async function applyChange(context: ApplyContext, change: Change): Promise<Applied> {
  try {
    return await applyKind(context, change)
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    return outcomeOf(error)
  }
}

async function applyKind(context: ApplyContext, change: Change): Promise<Applied> {
  switch (change.kind) {
    case 'publish': {
      const { entry, stage, expected } = change
      if (!(stage instanceof FileStage)) throw new Error('the stage is of another volume')
      return publish(context, { entry, stage, expected })
    }
    case 'make': {
      const { entry, expected } = change
      if (entry.kind === 'symlink') return makeSymlink(context, { entry, expected })
      if (entry.kind === 'file') throw new Error('a file is published, not made')
      if (expected?.kind === 'directory') return setMetadata(context, { entry, expected })
      return makeDirectory(context, { entry, expected })
    }
    case 'set-metadata':
      return setMetadata(context, change)
    case 'remove':
      return remove(context, change)
    case 'move':
      return move(context, change)
  }
}

function outcomeOf(error: DiskError): Applied {
  switch (error.errno) {
    // Something above the path went away, or is no directory any more.
    case 'ENOENT':
    case 'ENOTDIR':
      return { kind: 'changed' }
    case 'ENOSPC':
    case 'EDQUOT':
      return { kind: 'failed', code: 'disk-full', message: 'no room on the volume' }
    default:
      return { kind: 'failed', code: 'apply-failed', message: error.message }
  }
}
