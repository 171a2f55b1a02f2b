import { runsOf } from '../core/zero-runs.ts'
import type { WritableFile } from './disk.ts'

/** Writes bytes after what was written before of a new file; long runs of zeros become holes: a sparse file stays sparse. */
export async function writeRuns(file: WritableFile, bytes: Uint8Array): Promise<void> {
  for (const { isHole, start, end } of runsOf(bytes)) {
    if (isHole) file.skip(end - start)
    else await file.write(bytes.subarray(start, end))
  }
}
