import { diskSuite } from '../conformance/disk-suite.ts'
import { NodeDisk } from '../../src/volume/node-disk.ts'
import { realHands } from '../support/hands.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

diskSuite('the real file system', () => {
  const { path, remove } = temporaryDirectory()
  const disk = new NodeDisk({ rootPath: path })
  disk.start()
  return {
    disk,
    hands: realHands(path),
    dispose: async () => {
      await disk.stop()
      remove()
    },
  }
})
