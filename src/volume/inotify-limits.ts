import { readFileSync } from 'node:fs'
import { readdir, readFile, readlink } from 'node:fs/promises'

/** One inotify watch that this process holds, as the kernel tells it. */
export interface InotifyWatch {
  /** Inode number of what is watched, hexadecimal. */
  readonly inode: string
  /** The kernel's own number of the file system, hexadecimal; not what stat says. */
  readonly fileSystem: string
}

/**
 * All inotify watches of this process, read from `/proc/self/fdinfo` (proc_pid_fdinfo(5)). The kernel writes about 5 µs a watch,
 * off this thread. Empty where the kernel does not tell.
 */
export async function inotifyWatches(): Promise<readonly InotifyWatch[]> {
  const watches: InotifyWatch[] = []
  for (const text of await inotifyDescriptors()) {
    for (const [, inode, fileSystem] of text.matchAll(/^inotify wd:\S+ ino:(\S+) sdev:(\S+)/gm)) {
      if (inode !== undefined && fileSystem !== undefined) watches.push({ inode, fileSystem })
    }
  }
  return watches
}

/** How many inotify watches may exist: of this user on the whole machine, or fewer in a user namespace. Null: unknown. */
export function inotifyWatchLimit(): number | null {
  const limits = [
    readNumber('/proc/sys/fs/inotify/max_user_watches'),
    readNumber('/proc/sys/user/max_inotify_watches'),
  ].filter((limit) => limit !== null)
  return limits.length === 0 ? null : Math.min(...limits)
}

/** How many events the kernel keeps for us before it drops all that follow. */
export function inotifyQueueLimit(): number {
  return readNumber('/proc/sys/fs/inotify/max_queued_events') ?? kernelDefaultQueue
}

/** Tells when the kernel's queue may have overflowed. */
export interface OverflowDetector {
  /** To be called for every event, at once. */
  count(): void
  stop(): void
}

/**
 * libuv drops the kernel's word of an overflow (IN_Q_OVERFLOW), so it is inferred: the queue is read empty in one turn of the loop, and
 * nothing is lost unless that turn brings the whole queue. A quarter of it is called an overflow, and so is, once a minute at most, a
 * loop that stood still for over `stallMs`: a stall that the full scan itself makes must not ask for the next.
 */
export function detectOverflow(
  { queueLimit, stallMs }: { readonly queueLimit: number; readonly stallMs: number },
  overflowed: () => void,
): OverflowDetector {
  const threshold = Math.max(1, Math.floor(queueLimit / 4))
  let eventsInTurn = 0
  let lastBeatMs = performance.now()
  let lastStallMs = Number.NEGATIVE_INFINITY
  const beat = setInterval(() => {
    const nowMs = performance.now()
    if (nowMs - lastBeatMs > beatMs + stallMs && nowMs - lastStallMs > stallPauseMs) {
      lastStallMs = nowMs
      overflowed()
    }
    lastBeatMs = nowMs
  }, beatMs)
  return {
    count() {
      eventsInTurn++
      if (eventsInTurn === threshold) overflowed()
      if (eventsInTurn === 1) setImmediate(() => (eventsInTurn = 0))
    },
    stop() {
      clearInterval(beat)
    },
  }
}

/** Fine enough to tell a stall of a second from one of two, coarse enough to cost nothing. */
const beatMs = 500
const stallPauseMs = 60_000

/** `inotify_init` of every kernel since 2.6.13. */
const kernelDefaultQueue = 16_384

async function inotifyDescriptors(): Promise<readonly string[]> {
  const texts: string[] = []
  for (const descriptor of await readdir('/proc/self/fd').catch(() => [])) {
    try {
      if ((await readlink(`/proc/self/fd/${descriptor}`)) !== 'anon_inode:inotify') continue
      texts.push(await readFile(`/proc/self/fdinfo/${descriptor}`, 'latin1'))
    } catch {
      // Closed since it was listed.
    }
  }
  return texts
}

function readNumber(path: string): number | null {
  try {
    const value = Number.parseInt(readFileSync(path, 'latin1'), 10)
    return Number.isNaN(value) ? null : value
  } catch {
    return null
  }
}
