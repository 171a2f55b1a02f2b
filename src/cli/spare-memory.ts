import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** This process, as far as its memory goes. */
export interface MemoryGauge {
  /** Processor time that it has used, all threads together. */
  cpuMs(): number
  /** What V8 has taken from the system for objects. */
  heapBytes(): number
  /** Collects what can be collected and gives the pages back; the event loop stands for that long. */
  collect(): Promise<void>
}

/** How often is looked, unless a test is in a hurry. */
const usualLookMs = 5_000

/** Less than this share of a core since the last look is quiet: nobody waits for the pause that a collection is. */
const quietShare = 0.1

/** So much more than the last collection left is worth another one. */
const worthBytes = 16 * 1024 * 1024

/**
 * Gives memory back after a burst. V8 keeps what it grew by until it is short of memory; the garbage of 10,000 files that came once would be resident for
 * ever. Gives what ends it.
 */
export function giveBackMemory(gauge: MemoryGauge, { lookMs = usualLookMs } = {}): () => void {
  let cpuMs = gauge.cpuMs()
  let leftBytes = 0
  let isCollecting = false

  async function look(): Promise<void> {
    const usedMs = gauge.cpuMs() - cpuMs
    cpuMs += usedMs
    if (isCollecting || usedMs > lookMs * quietShare) return
    if (gauge.heapBytes() - leftBytes < worthBytes) return
    isCollecting = true
    await gauge.collect()
    isCollecting = false
    leftBytes = gauge.heapBytes()
    cpuMs = gauge.cpuMs()
  }

  const timer = setInterval(() => void look(), lookMs)
  timer.unref()
  return () => clearInterval(timer)
}

/** The gauge of this process. V8 hides its collector behind a flag that is read when a context is made. */
export function ownMemory(): MemoryGauge {
  setFlagsFromString('--expose-gc')
  const collector: unknown = runInNewContext('gc')
  setFlagsFromString('--no-expose-gc')
  return {
    cpuMs: () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1000
    },
    heapBytes: () => getHeapStatistics().total_heap_size,
    collect: async () => {
      if (typeof collector !== 'function') return
      // `last-resort` alone gives all pages back at once.
      const options = { type: 'major', execution: 'async', flavor: 'last-resort' }
      const collecting: unknown = Reflect.apply(collector, undefined, [options])
      await collecting
    },
  }
}
