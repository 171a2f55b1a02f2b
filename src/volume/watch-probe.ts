import { rmSync, statfsSync, watch, writeFileSync, type FSWatcher } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'

/** Whether inotify can be relied on for a directory. */
export type ProbeResult =
  /** The event for a file of ours came, or there was no way to find out. */
  | { readonly kind: 'delivers' }
  /** No event came: the file system does not report changes. */
  | { readonly kind: 'silent'; readonly reason: string }
  /** Not one watch is left for us; this may pass. */
  | { readonly kind: 'exhausted'; readonly reason: string }

/** Writes the file `probe` into `directory` and waits for its event; leaves nothing behind. */
export async function probeInotify(
  directory: string,
  options: { readonly deadlineMs: number; readonly signal: AbortSignal },
): Promise<ProbeResult> {
  const heard = Promise.withResolvers<boolean>()
  let watcher: FSWatcher
  try {
    watcher = watch(directory, (_event, name) => {
      if (name === probeName) heard.resolve(true)
    })
  } catch (error) {
    return isWatchLimit(error)
      ? { kind: 'exhausted', reason: watchRefusal(error) }
      : { kind: 'delivers' }
  }
  watcher.on('error', () => heard.resolve(false))
  const onAbort = () => heard.resolve(true)
  options.signal.addEventListener('abort', onAbort, { once: true })
  const timer = setTimeout(() => {
    // A loop that was busy so long gets the turn in which it reads the event.
    void nextTurn().then(() => heard.resolve(false))
  }, options.deadlineMs)
  try {
    writeProbe(join(directory, probeName))
    if (await heard.promise) return { kind: 'delivers' }
    const reason = `inotify reports no changes on ${fileSystemName(directory)}`
    return { kind: 'silent', reason }
  } catch {
    // Read-only or full: nothing can be learnt, and whoever must write there says so.
    return { kind: 'delivers' }
  } finally {
    clearTimeout(timer)
    options.signal.removeEventListener('abort', onAbort)
    watcher.close()
  }
}

/** The name of a file system whose changes may be made elsewhere, where inotify does not see them; null for local ones. */
export function networkFileSystem(directory: string): string | null {
  return networkFileSystems.get(fileSystemMagic(directory)) ?? null
}

/** Whether a limit of the kernel on watches stood in the way, as opposed to something about the one directory. */
export function isWatchLimit(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'ENOSPC' || code === 'EMFILE'
}

/** In words why no watch could be had, with what to do about it. */
export function watchRefusal(error: unknown): string {
  const code = codeOf(error)
  if (code === 'ENOSPC') return 'out of inotify watches: raise fs.inotify.max_user_watches'
  if (code === 'EMFILE')
    return 'out of inotify instances or open files: raise fs.inotify.max_user_instances or the limit on open files'
  return error instanceof Error ? error.message : String(error)
}

/** Made anew at each probe, in Synd's own directory, which nobody syncs. */
const probeName = 'probe'

function writeProbe(path: string): void {
  rmSync(path, { force: true })
  // Exclusive: never through a link that somebody put there.
  writeFileSync(path, '', { flag: 'wx' })
  rmSync(path, { force: true })
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

/** statfs(2), include/uapi/linux/magic.h. Virtiofs calls itself FUSE. */
const networkFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x65735546, 'FUSE or virtiofs'],
  [0x01021997, '9p'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x0bd00bd0, 'Lustre'],
  [0x01161970, 'GFS2'],
  [0x7461636f, 'OCFS2'],
  [0x47504653, 'GPFS'],
  [0x19830326, 'BeeGFS'],
  [0x786f4256, 'VirtualBox shared folders'],
  [0xbacbacbc, 'VMware shared folders'],
  [0x7c7c6673, 'Parallels shared folders'],
])

function fileSystemName(directory: string): string {
  const magic = fileSystemMagic(directory)
  return networkFileSystems.get(magic) ?? `this file system (type 0x${magic.toString(16)})`
}

function fileSystemMagic(directory: string): number {
  try {
    // Some are told with the sign bit set.
    return statfsSync(directory).type >>> 0
  } catch {
    return 0
  }
}
