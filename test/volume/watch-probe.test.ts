import { mkdirSync, readdirSync, watch, type FSWatcher } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { examineVolume, type ProbeOptions } from '../../src/volume/watch-probe.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

let volume: string
let remove: () => void

beforeEach(() => {
  const directory = temporaryDirectory()
  volume = join(directory.path, 'volume')
  remove = directory.remove
  for (const path of ['volume', 'volume/.synd', 'elsewhere'])
    mkdirSync(join(directory.path, path), { mode: 0o700 })
})
afterEach(() => remove())

const examine = (options: Partial<ProbeOptions> = {}): ReturnType<typeof examineVolume> =>
  examineVolume(volume, { deadlineMs: 60_000, signal: new AbortController().signal, ...options })

/** A watch of the kernel's own that hears of nothing: as on a file system that reports nothing. */
const deaf = (): FSWatcher => watch(join(volume, '../elsewhere'))

/** As include/uapi/linux/magic.h and coreutils' stat.c have them, and what people call them. */
const network: readonly (readonly [string, number, string])[] = [
  ['NFS_SUPER_MAGIC', 0x00006969, 'NFS'],
  ['SMB_SUPER_MAGIC', 0x0000517b, 'SMB'],
  ['CIFS_SUPER_MAGIC', 0xff534d42, 'CIFS'],
  ['SMB2_SUPER_MAGIC', 0xfe534d42, 'SMB2'],
  ['FUSE_SUPER_MAGIC', 0x65735546, 'FUSE or virtiofs'],
  ['V9FS_MAGIC', 0x01021997, '9p'],
  ['CEPH_SUPER_MAGIC', 0x00c36400, 'Ceph'],
  ['AFS_SUPER_MAGIC', 0x5346414f, 'AFS'],
  ['AFS_FS_MAGIC', 0x6b414653, 'AFS'],
  ['CODA_SUPER_MAGIC', 0x73757245, 'Coda'],
  ['S_MAGIC_LUSTRE', 0x0bd00bd0, 'Lustre'],
  ['S_MAGIC_GFS', 0x01161970, 'GFS2'],
  ['OCFS2_SUPER_MAGIC', 0x7461636f, 'OCFS2'],
  ['S_MAGIC_GPFS', 0x47504653, 'GPFS'],
  ['S_MAGIC_FHGFS', 0x19830326, 'BeeGFS'],
  ['VBOXSF_SUPER_MAGIC', 0x786f4256, 'VirtualBox shared folders'],
  ['S_MAGIC_VMHGFS', 0xbacbacbc, 'VMware shared folders'],
  ['S_MAGIC_PRL_FS', 0x7c7c6673, 'Parallels shared folders'],
]

test.each(network)('%s is told as one that other hosts write to', async (_name, type, words) => {
  const trouble = {
    kind: 'remote',
    reason: `the volume is on ${words}: what other hosts change there is found by scanning only`,
  }
  // statfs(2) has a signed word for it.
  for (const told of [type, type | 0])
    expect(await examine({ typeOf: () => told })).toEqual(trouble)
})

test.each([
  ['EXT4_SUPER_MAGIC', 0xef53],
  ['XFS_SUPER_MAGIC', 0x58465342],
  ['BTRFS_SUPER_MAGIC', 0x9123683e],
  ['ZFS', 0x2fc12fc1],
  ['TMPFS_MAGIC', 0x01021994],
  ['OVERLAYFS_SUPER_MAGIC', 0x794c7630],
  ['F2FS_SUPER_MAGIC', 0xf2f52010],
  ['none that is known', 0],
])('%s is local: nothing stands against it', async (_name, type) => {
  expect(await examine({ typeOf: () => type })).toBeNull()
})

test('the type of the volume is asked for, and that of a real directory is a local one', async () => {
  const asked: string[] = []
  const typeOf = (directory: string): number => asked.push(directory)
  expect(await examine({ typeOf })).toBeNull()
  expect(asked).toEqual([volume])
  expect(await examine()).toBeNull()
})

test('where no event comes it is silent, which is said with the name of the file system', async () => {
  const silent = (typeOf: () => number): ReturnType<typeof examineVolume> =>
    examine({ listen: deaf, typeOf, deadlineMs: 50 })
  expect(await silent(() => 0x01021997)).toEqual({
    kind: 'silent',
    reason: 'inotify reports no changes on 9p',
  })
  expect(await silent(() => 0x9e370001 | 0)).toEqual({
    kind: 'silent',
    reason: 'inotify reports no changes on this file system (type 0x9e370001)',
  })
  expect(readdirSync(join(volume, '.synd'))).toEqual([])
})

test('events of other files are no proof that events come', async () => {
  const trouble = await examine({
    deadlineMs: 50,
    listen: (_directory, heard) => {
      heard('rename', 'index.sqlite')
      heard('change', null)
      return deaf()
    },
  })
  expect(trouble?.kind).toBe('silent')
})

test('a watch that fails while it waits is silent at once', async () => {
  const trouble = await examine({
    listen: () => {
      const watcher = deaf()
      setImmediate(() => watcher.emit('error', new Error('EIO')))
      return watcher
    },
  })
  expect(trouble?.kind).toBe('silent')
})

test.each([
  ['ENOSPC', 'out of inotify watches: raise fs.inotify.max_user_watches'],
  [
    'EMFILE',
    'out of inotify instances or open files: raise fs.inotify.max_user_instances or the limit on open files',
  ],
])('without a watch for %s it says which limit to raise', async (code, reason) => {
  const listen = (): FSWatcher => {
    throw Object.assign(new Error(code), { code })
  }
  expect(await examine({ listen })).toEqual({ kind: 'exhausted', reason })
})

test('who stops meanwhile waits no longer', async () => {
  const stop = new AbortController()
  const examined = examine({ listen: deaf, signal: stop.signal })
  stop.abort()
  expect(await examined).toBeNull()
})
