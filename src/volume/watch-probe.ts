import { rmSync, statfsSync, watch, writeFileSync, type FSWatcher } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { reservedName } from '../core/relative-path.ts'

/** What stands against relying on inotify for a volume. */
export interface WatchTrouble {
  /** No events at all; no watch left for us, which may pass; no events of what other hosts do. */
  readonly kind: 'silent' | 'exhausted' | 'remote'
  readonly reason: string
}

/** How long the probe's event may take, and whom is asked: inotify and statfs(2), if nothing else is given. */
export interface ProbeOptions {
  readonly deadlineMs: number
  readonly signal: AbortSignal
  readonly listen?: (
    directory: string,
    heard: (event: string, name: string | null) => void,
  ) => FSWatcher
  readonly typeOf?: (directory: string) => number
}

/**
 * Null: nothing is known against it. A write of ours is reported wherever Linux itself does the writing, so the probe finds sandboxes
 * without inotify and limits that are used up; that others may write behind the kernel's back only the type of the file system tells.
 */
export async function examineVolume(
  volume: string,
  { listen = watch, typeOf = fileSystemType, deadlineMs, signal }: ProbeOptions,
): Promise<WatchTrouble | null> {
  const own = join(volume, reservedName)
  const probe = await probeInotify(own, { listen, typeOf, deadlineMs, signal })
  if (probe !== null) return probe
  const network = networkFileSystems.get(magicOf(typeOf(volume)))
  if (network === undefined) return null
  const reason = `the volume is on ${network}: what other hosts change there is found by scanning only`
  return { kind: 'remote', reason }
}

/** Writes the file `probe` into `directory` and waits for its event; null when it came, or when there was no way to find out. */
async function probeInotify(
  directory: string,
  options: Required<ProbeOptions>,
): Promise<WatchTrouble | null> {
  const heard = Promise.withResolvers<boolean>()
  let watcher: FSWatcher
  try {
    watcher = options.listen(directory, (_event, name) => {
      if (name === probeName) heard.resolve(true)
    })
  } catch (error) {
    return isWatchLimit(error) ? { kind: 'exhausted', reason: watchRefusal(error) } : null
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
    if (await heard.promise) return null
    const reason = `inotify reports no changes on ${fileSystemName(options.typeOf(directory))}`
    return { kind: 'silent', reason }
  } catch {
    // Read-only or full: nothing can be learnt, and whoever must write there says so.
    return null
  } finally {
    clearTimeout(timer)
    options.signal.removeEventListener('abort', onAbort)
    watcher.close()
  }
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

/** Changes of these may be made elsewhere, where inotify does not see them. statfs(2), include/uapi/linux/magic.h. Virtiofs calls itself FUSE. */
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

function fileSystemName(type: number): string {
  const magic = magicOf(type)
  return networkFileSystems.get(magic) ?? `this file system (type 0x${magic.toString(16)})`
}

/** Some are told with the sign bit set. */
function magicOf(type: number): number {
  return type >>> 0
}

function fileSystemType(directory: string): number {
  try {
    return statfsSync(directory).type
  } catch {
    return 0
  }
}
