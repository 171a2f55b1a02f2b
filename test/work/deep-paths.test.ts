import { afterEach, expect, test } from 'vitest'
import { maxPathBytes } from '../../src/core/relative-path.ts'
import { NodeDisk } from '../../src/volume/node-disk.ts'
import { Cluster, type Member } from '../e2e/cluster.ts'
import { until } from '../e2e/wait.ts'
import { patientMs, untilAgreed } from './at-rest.ts'

const nameBytes = 199
const patiently = { deadlineMs: patientMs }

let cluster: Cluster
const disks: NodeDisk[] = []

afterEach(async () => {
  // What removes the volumes may not reach so deep.
  for (const disk of disks) removeBelow(disk, 'top')
  await Promise.all(disks.splice(0).map((disk) => disk.stop()))
  await cluster.stop()
}, patientMs)

test(
  'paths up to 4,095 bytes are synced, whatever the volume lies in; longer ones are a problem that is said, and both are deleted',
  { timeout: 2 * patientMs },
  async () => {
    // So deep not every change has an event: what has none is found by the next scan.
    cluster = await Cluster.make(['alpha', 'beta'], { settings: { SYND_SCAN_INTERVAL: '5s' } })
    await cluster.start()
    const here = diskOf(cluster.member('alpha'))
    const there = diskOf(cluster.member('beta'))
    const directory = makeDeep(here)
    const deepest = `${directory}/${'f'.repeat(maxPathBytes - directory.length - 1)}`
    expect(deepest).toHaveLength(maxPathBytes)
    // No call takes its absolute path any more.
    await write(here, deepest, 'deep')
    await write(here, `${directory}/short`, 'less deep')
    await untilRead(there, deepest, 'deep')
    await untilAgreed(cluster, 2)
    here.unlink(deepest)
    await write(here, deepest, 'changed down there')
    await untilRead(there, deepest, 'changed down there')
    const tooLong = `${directory}/${'g'.repeat(nameBytes)}`
    expect(tooLong.length).toBeGreaterThan(maxPathBytes)
    await write(here, tooLong, 'nobody will have this')
    await until(async () => {
      const problems = (await cluster.member('alpha').process.status())?.problems
      return JSON.stringify(problems).includes('unsyncable-name') ? null : JSON.stringify(problems)
    }, patiently)
    await write(here, 'beside', 'goes on')
    await untilRead(there, 'beside', 'goes on')
    expect(there.list(directory).toSorted()).toEqual([deepest, 'short'].map(nameOf).toSorted())
    here.unlink(tooLong)
    removeBelow(here, 'top')
    await until(() => (there.lstat('top') === null ? null : 'it is still there'), patiently)
    await untilAgreed(cluster, 1)
    const problems = (await cluster.member('alpha').process.status())?.problems
    expect(JSON.stringify(problems)).not.toContain('unsyncable-name')
  },
)

function diskOf({ volume }: Member): NodeDisk {
  const disk = new NodeDisk({ rootPath: volume })
  disk.start()
  disks.push(disk)
  return disk
}

/** Directories as deep as leaves room for a name of a few bytes; gives the path of the last. */
function makeDeep(disk: NodeDisk): string {
  let path = 'top'
  disk.mkdir(path, 0o755)
  while (path.length + nameBytes < maxPathBytes - 50) {
    path += `/${'d'.repeat(nameBytes)}`
    disk.mkdir(path, 0o755)
  }
  return path
}

async function write(disk: NodeDisk, path: string, text: string): Promise<void> {
  const file = disk.create(path, 0o644)
  await file.write(Buffer.from(text))
  file.close()
}

async function untilRead(disk: NodeDisk, path: string, text: string): Promise<void> {
  await until(async () => {
    const file = disk.openForReading(path)
    try {
      const read = Buffer.from(await file.read(0, 1000)).toString()
      return read === text ? null : read
    } finally {
      file.close()
    }
  }, patiently)
}

function removeBelow(disk: NodeDisk, path: string): void {
  const kind = disk.lstat(path)?.kind
  if (kind === undefined) return
  if (kind !== 'directory') return disk.unlink(path)
  for (const name of disk.list(path)) removeBelow(disk, `${path}/${name}`)
  disk.rmdir(path)
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
