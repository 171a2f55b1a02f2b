import type { Disk, DiskPath } from '../../src/volume/disk.ts'

/** The calls in whose way a test may step. */
export type Intercepted =
  | 'lstat'
  | 'link'
  | 'rename'
  | 'unlink'
  | 'mkdir'
  | 'rmdir'
  | 'chmod'
  | 'setMtime'

/** The same disk, with `before` called ahead of each such call: what somebody else does just then. */
export function interceptDisk(
  disk: Disk,
  before: (operation: Intercepted, path: DiskPath, to: DiskPath | null) => void,
): Disk {
  return {
    together: (calls) => disk.together(calls),
    lookRoot: () => disk.lookRoot(),
    lstat: (path) => {
      before('lstat', path, null)
      return disk.lstat(path)
    },
    lstatEach: (directory, names) => disk.lstatEach(directory, names),
    list: (directory) => disk.list(directory),
    readlink: (path) => disk.readlink(path),
    mkdir: (path, mode) => {
      before('mkdir', path, null)
      disk.mkdir(path, mode)
    },
    symlink: (target, path) => disk.symlink(target, path),
    link: (from, to) => {
      before('link', from, to)
      disk.link(from, to)
    },
    rename: (from, to) => {
      before('rename', from, to)
      disk.rename(from, to)
    },
    unlink: (path) => {
      before('unlink', path, null)
      disk.unlink(path)
    },
    unlinkEach: (directory, names) => disk.unlinkEach(directory, names),
    rmdir: (path) => {
      before('rmdir', path, null)
      disk.rmdir(path)
    },
    chmod: (path, mode) => {
      before('chmod', path, null)
      disk.chmod(path, mode)
    },
    setMtime: (path, mtimeUs) => {
      before('setMtime', path, null)
      disk.setMtime(path, mtimeUs)
    },
    chown: (path, owner) => disk.chown(path, owner),
    create: (path, mode) => disk.create(path, mode),
    createMeanwhile: (path, mode) => disk.createMeanwhile(path, mode),
    openForWriting: (path) => disk.openForWriting(path),
    openForReading: (path) => disk.openForReading(path),
    copy: (from, to) => disk.copy(from, to),
    syncFile: (path) => disk.syncFile(path),
    syncDirectory: (path) => disk.syncDirectory(path),
  }
}
