import { diskSuite } from '../conformance/disk-suite.ts'
import { memoryHands } from '../support/memory-hands.ts'
import { MemoryDisk } from '../support/memory-disk.ts'

diskSuite('the memory disk', () => {
  const disk = new MemoryDisk({ nowMs: () => 1_763_900_000_000 })
  return { disk: disk.attach(), hands: memoryHands(disk), dispose: async () => undefined }
})
