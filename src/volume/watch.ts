import { once } from 'node:events'
import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { RelativePath } from '../core/relative-path.ts'
import type { WatchHint, Watcher } from '../engine/ports.ts'
import { detectOverflow, inotifyQueueLimit } from './inotify-limits.ts'
import { canWatch, watchWithChokidar } from './watch-chokidar.ts'
import { hintQueue, type HintQueue } from './watch-hints.ts'
import { examineVolume, type WatchTrouble } from './watch-probe.ts'
import { RawWatches, type Directory, type Unwatched } from './watch-raw-bytes.ts'

/** `auto`: chokidar where inotify works, else polling. */
export type WatchMode = 'auto' | 'chokidar' | 'polling'

export interface VolumeWatcherOptions {
  readonly volume: string
  readonly mode: WatchMode
  /** The process's own: what chokidar would read of it is hidden from it. */
  readonly environment: Record<string, string | undefined>
  /** How often a full scan is asked for where events cannot be had, or not of everything. */
  readonly pollIntervalMs?: number
  /** How often what is not watched is tried again. */
  readonly retryIntervalMs?: number
  /** How often it is checked that every directory is watched. */
  readonly checkIntervalMs?: number
  /** How long after directories came or went it is checked: by then chokidar should have watched the new ones itself. */
  readonly checkDelayMs?: number
  /** How long the probe's event may take. */
  readonly probeDeadlineMs?: number
  /** How many events the kernel queues, instead of what it says itself. */
  readonly queueLimit?: number
  /** How long the loop may stand still before events are taken for lost. */
  readonly stallMs?: number
  /** Finds out what stands against inotify. */
  readonly examine?: typeof examineVolume
}

/**
 * Hints at what changed in a volume: with chokidar where inotify can be had, by asking for full scans where not.
 *
 *     probe ──delivers──► chokidar, own watches for the rest ──► check ──► scan, then hints; check again
 *       └──silent, no watch to be had──► scan every 2 s; probe again every 30 s
 *
 * Everything on the way is a hint: a directory that is new to the watch is listed after its watch was made, so whatever happened before
 * is found by the listing and whatever happens later by an event.
 */
export class VolumeWatcher implements Watcher {
  readonly #options: Required<VolumeWatcherOptions>
  #isIgnored: (path: RelativePath) => boolean = () => false
  /** When a check was last asked for; null: it was made. */
  #checkWantedMs: number | null = null

  constructor(options: VolumeWatcherOptions) {
    this.#options = {
      pollIntervalMs: 2000,
      retryIntervalMs: 30_000,
      checkIntervalMs: 300_000,
      checkDelayMs: 1000,
      probeDeadlineMs: 2000,
      queueLimit: inotifyQueueLimit(),
      stallMs: 1000,
      examine: examineVolume,
      ...options,
    }
  }

  ignore(isIgnored: (path: RelativePath) => boolean): void {
    this.#isIgnored = isIgnored
    this.#wantCheck()
  }

  async *watch(signal: AbortSignal): AsyncGenerator<WatchHint> {
    const ended = new AbortController()
    const either = AbortSignal.any([signal, ended.signal])
    const hints = hintQueue(either)
    // A failure ends the iteration, which then throws it.
    const feeding = this.#feed(hints, either).finally(() => ended.abort())
    feeding.catch(() => {})
    try {
      for (;;) {
        const batch = await hints.next()
        if (batch.length === 0) return
        yield* batch
      }
    } finally {
      ended.abort()
      await feeding
    }
  }

  async #feed(hints: HintQueue, signal: AbortSignal): Promise<void> {
    const { mode } = this.#options
    while (!signal.aborted) {
      const trouble = mode === 'polling' ? null : await this.#examine(signal)
      if (mode === 'polling' || (mode === 'auto' && preventsWatching(trouble))) {
        await this.#poll(hints, { reason: trouble?.reason ?? null, signal })
      } else {
        // That no watch is left may pass: the checks tell.
        const standing = trouble?.kind === 'exhausted' ? null : (trouble?.reason ?? null)
        await this.#watchTree(hints, { standing, signal })
      }
    }
  }

  /** Asks for full scans; returns when there was a reason and a new probe finds it gone. */
  async #poll(
    hints: HintQueue,
    { reason, signal }: { reason: string | null; signal: AbortSignal },
  ): Promise<void> {
    const { pollIntervalMs, retryIntervalMs } = this.#options
    let retryMs = performance.now() + retryIntervalMs
    hints.degraded(reason)
    for (;;) {
      hints.scan()
      await pause(pollIntervalMs, signal)
      if (signal.aborted) return
      if (reason === null || performance.now() < retryMs) continue
      if (!preventsWatching(await this.#examine(signal))) return
      retryMs = performance.now() + retryIntervalMs
    }
  }

  /** Hints from inotify until the signal aborts; `standing` is a reason that does not go away. */
  async #watchTree(
    hints: HintQueue,
    { standing, signal }: { standing: string | null; signal: AbortSignal },
  ): Promise<void> {
    const { environment, queueLimit, stallMs } = this.#options
    const overflow = detectOverflow({ queueLimit, stallMs }, () => {
      hints.overflow()
      this.#wantCheck()
    })
    const common = {
      hints,
      isIgnored: (directory: RelativePath) => this.#isIgnored(directory),
      counted: () => overflow.count(),
      checkWanted: () => this.#wantCheck(),
    }
    const root = rootOf(this.#options.volume)
    const path = root.toString()
    const rawWatches = new RawWatches({ ...common, root })
    const chokidar = canWatch(path)
      ? watchWithChokidar({ ...common, root: path, rawWatches, environment })
      : null
    try {
      await Promise.race([chokidar?.ready, aborted(signal)])
      const isGiven = (directory: Directory) => chokidar?.isGiven(directory) ?? false
      await this.#keepChecking(() => rawWatches.check(isGiven, signal), hints, { standing, signal })
    } finally {
      overflow.stop()
      rawWatches.stop()
      await chokidar?.close()
    }
  }

  /** The first check establishes the watch. Later ones follow directories that came or went, or a limit, or just time. */
  async #keepChecking(
    check: () => Promise<Unwatched>,
    hints: HintQueue,
    { standing, signal }: { standing: string | null; signal: AbortSignal },
  ): Promise<void> {
    const { mode, pollIntervalMs, retryIntervalMs, checkIntervalMs, checkDelayMs } = this.#options
    let unwatched: Unwatched = null
    let checkedMs = Number.NEGATIVE_INFINITY
    let checkTookMs = 0
    let scannedMs = Number.NEGATIVE_INFINITY
    while (!signal.aborted) {
      const startMs = performance.now()
      const restMs = unwatched === null ? checkIntervalMs : retryIntervalMs
      const isWanted =
        this.#checkWantedMs !== null &&
        startMs - this.#checkWantedMs >= checkDelayMs &&
        startMs - checkedMs >= checkTookMs * checkRest
      if (isWanted || startMs - checkedMs >= restMs) {
        this.#checkWantedMs = null
        unwatched = await check()
        checkedMs = performance.now()
        checkTookMs = checkedMs - startMs
        hints.degraded(unwatched === null ? standing : describe(unwatched))
      }
      const isScanning = unwatched !== null || (standing !== null && mode === 'auto')
      const isFirst = scannedMs === Number.NEGATIVE_INFINITY
      if (isFirst || (isScanning && performance.now() - scannedMs >= pollIntervalMs)) {
        hints.scan()
        scannedMs = performance.now()
      }
      await pause(Math.min(tickMs, pollIntervalMs), signal)
    }
  }

  #examine(signal: AbortSignal): Promise<WatchTrouble | null> {
    const { examine, volume, probeDeadlineMs } = this.#options
    return examine(volume, { deadlineMs: probeDeadlineMs, signal })
  }

  #wantCheck(): void {
    this.#checkWantedMs ??= performance.now()
  }
}

/** How soon it is noticed that a check is due: at once for people, nothing for the processor. */
const tickMs = 500

/** A check takes at most a fiftieth of the time, however large the tree and however lively its directories. */
const checkRest = 50

function preventsWatching(trouble: WatchTrouble | null): boolean {
  return trouble?.kind === 'silent' || trouble?.kind === 'exhausted'
}

function describe({ directories, reason }: NonNullable<Unwatched>): string {
  return directories === 0 ? reason : `${reason} (directories without a watch: ${directories})`
}

/** With links resolved, as chokidar does not follow them; as it is while it is not there. */
function rootOf(volume: string): Buffer {
  try {
    return realpathSync.native(volume, { encoding: 'buffer' })
  } catch {
    return Buffer.from(resolve(volume))
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}

/** Ends early, without an error, when the signal aborts. */
async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  await delay(delayMs, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
}
