import type { RelativePath } from '../core/relative-path.ts'
import type { WatchHint } from '../engine/ports.ts'

/** Where hints gather until the engine takes them: what came in one turn of the loop leaves together, each path once. */
export interface HintQueue {
  dirty(path: RelativePath): void
  /** Null: the root. */
  list(directory: RelativePath | null): void
  /** The first one opens the queue: until then nothing leaves it. */
  scan(): void
  overflow(): void
  /** Gives a hint only if it differs from what was said before. */
  degraded(reason: string | null): void
  /** At least one hint, at the end of a turn that brought some; none once the signal aborts. Not to be called twice at a time. */
  next(): Promise<readonly WatchHint[]>
}

/** Beyond so many paths a full scan is cheaper than the memory that they take. */
const maxPaths = 100_000

export function hintQueue(signal: AbortSignal): HintQueue {
  const dirty = new Set<RelativePath>()
  const lists = new Set<RelativePath | null>()
  let isOpen = false
  let isScanWanted = false
  let hasOverflowed = false
  let reason: string | null = null
  let saidReason: string | null = null
  /** The turn that brought something has not ended yet. */
  let isTurnOpen = false
  let wake = () => {}
  signal.addEventListener('abort', () => wake(), { once: true })

  function forgetPaths(): void {
    dirty.clear()
    lists.clear()
  }

  function changed(): void {
    if (dirty.size + lists.size > maxPaths) {
      forgetPaths()
      isScanWanted = true
    }
    if (isTurnOpen) return
    isTurnOpen = true
    setImmediate(() => {
      isTurnOpen = false
      wake()
    })
  }

  function take(): WatchHint[] {
    const hints: WatchHint[] = []
    if (isScanWanted) hints.push({ kind: 'scan' })
    if (hasOverflowed) hints.push({ kind: 'overflow' })
    if (reason !== saidReason) hints.push({ kind: 'degraded', reason })
    for (const directory of lists) hints.push({ kind: 'list', directory })
    if (dirty.size > 0) hints.push({ kind: 'dirty', paths: [...dirty] })
    isScanWanted = false
    hasOverflowed = false
    saidReason = reason
    forgetPaths()
    return hints
  }

  return {
    dirty(path) {
      dirty.add(path)
      changed()
    },
    list(directory) {
      lists.add(directory)
      changed()
    },
    scan() {
      // What was seen before is part of what the scan will find.
      if (!isOpen) forgetPaths()
      isOpen = true
      isScanWanted = true
      changed()
    },
    overflow() {
      hasOverflowed = true
      changed()
    },
    degraded(newReason) {
      reason = newReason
      changed()
    },
    async next() {
      while (!signal.aborted) {
        const hints = isOpen && !isTurnOpen ? take() : []
        if (hints.length > 0) return hints
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return []
    },
  }
}
