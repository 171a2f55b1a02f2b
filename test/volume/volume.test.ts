import { volumeSuite } from '../conformance/volume-suite.ts'
import { NodeDisk } from '../../src/volume/node-disk.ts'
import { realHands } from '../support/hands.ts'
import { MemoryDisk } from '../support/memory-disk.ts'
import { memoryHands } from '../support/memory-hands.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

volumeSuite('the real file system', () => {
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

volumeSuite('the memory disk', () => {
  const disk = new MemoryDisk({ nowMs: () => 1_763_900_000_000 })
  return { disk: disk.attach(), hands: memoryHands(disk), dispose: async () => undefined }
})
