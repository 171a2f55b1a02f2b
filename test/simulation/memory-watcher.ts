import { parseRelativePath, pathRefusal } from '../../src/core/relative-path.ts'
import type { WatchHint, Watcher } from '../../src/engine/ports.ts'
import { Channel } from '../support/channel.ts'
import type { MemoryDisk } from '../support/memory-disk.ts'
import type { VirtualTime } from '../support/virtual-clock.ts'

/** An event arrives a moment after the change. */
const eventMs = 1

/** The `Watcher` port of one life: hints at every change of a memory disk, by whomever; while it is deaf they are lost. */
export function watchDisk(
  disk: MemoryDisk,
  time: VirtualTime,
): { watcher: Watcher; deafen: (isDeaf: boolean) => void; stop: () => void } {
  const hints = new Channel<WatchHint>()
  let isDeaf = false
  hints.push({ kind: 'scan' })
  const stopListening = disk.onChange((path) => {
    if (isDeaf || pathRefusal(path) !== null) return
    time.after(eventMs, () => hints.push({ kind: 'dirty', paths: [parseRelativePath(path)] }))
  })
  const stop = (): void => {
    stopListening()
    hints.end()
  }
  const watch = (signal: AbortSignal): AsyncIterable<WatchHint> => {
    signal.addEventListener('abort', stop)
    return hints
  }
  return {
    watcher: { watch, ignore: () => undefined },
    deafen: (deaf) => {
      isDeaf = deaf
    },
    stop,
  }
}
