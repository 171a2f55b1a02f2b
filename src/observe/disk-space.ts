import { statfs } from 'node:fs/promises'
import type { MetricTable } from './metric-table.ts'

/**
 * Gives a function that asks for the room on the volume's file system and shows it as soon as it is known: at the next scrape at the
 * latest. It never waits and asks once at a time, because a network file system that hangs would hang every scrape with it. What
 * cannot be asked stays as it was, 0 at first.
 */
export function createDiskSpaceGauges(table: MetricTable): (path: string) => void {
  let isAsking = false
  const ask = async (path: string): Promise<void> => {
    try {
      const { bavail, blocks, bsize } = await statfs(path)
      table.volumeFreeBytes.set(bavail * bsize)
      table.volumeSizeBytes.set(blocks * bsize)
    } catch {
      // A volume that is missing is told by synd_volume_halted.
    } finally {
      isAsking = false
    }
  }
  return (path) => {
    if (isAsking) return
    isAsking = true
    void ask(path)
  }
}
