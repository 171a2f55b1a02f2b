import { randomBytes } from 'node:crypto'
import { NodeDisk } from '../../src/volume/node-disk.ts'
import { openVolume } from '../../src/volume/open.ts'
import type { SyndVolume } from '../../src/volume/volume.ts'
import { realHands, type Hands } from './hands.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { TestLedger } from './volume-fixture.ts'

/** A volume in an empty directory of its own. */
export interface RealVolume extends AsyncDisposable {
  readonly path: string
  readonly hands: Hands
  readonly disk: NodeDisk
  readonly ledger: TestLedger
  /** Opens it, anew each time. */
  open(): Promise<SyndVolume>
}

export const randomIds = { id64: (): string => randomBytes(8).toString('hex') }

/** `at` is the directory to use instead; it is not removed. */
export function realVolume(at?: string): RealVolume {
  const { path, remove } =
    at === undefined ? temporaryDirectory() : { path: at, remove: () => undefined }
  const disk = new NodeDisk({ rootPath: path })
  disk.start()
  const ledger = new TestLedger()
  return {
    path,
    hands: realHands(path),
    disk,
    ledger,
    open: () => openVolume({ disk, path, durability: 'full', ledger, ids: randomIds }),
    [Symbol.asyncDispose]: async () => {
      await disk.stop()
      remove()
    },
  }
}
