import { createCipheriv, createHash } from 'node:crypto'
import { closeSync, openSync, readSync, renameSync, statSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Cluster } from '../e2e/cluster.ts'
import { until } from '../e2e/wait.ts'
import { Random } from '../support/random.ts'
import { untilAgreed } from './at-rest.ts'

const MiB = 1024 * 1024

/** Bytes of all large files together; WORK_LARGE=2000000000 for the long form. */
const largeBytes = Number(process.env['WORK_LARGE'] ?? 200 * MiB)
const photos = Math.max(20, Math.floor(largeBytes / (20 * MiB)))
const seed = Number(process.env['WORK_SEED'] ?? Math.floor(Math.random() * 2 ** 32))
const deadlineMs = 180_000 + largeBytes / 2_000

let cluster: Cluster

afterEach(async () => cluster.stop(), deadlineMs)

test(
  `large files, of ${Math.round(largeBytes / 1e6)} MB in all, arrive; nobody sees a part of one (WORK_SEED=${seed})`,
  { timeout: 2 * deadlineMs },
  async () => {
    const random = new Random(seed)
    const sizes = [0.5, 0.3, 0.2].map((share) => Math.floor(largeBytes * share) + random.below(MiB))
    cluster = await startCluster()
    // A writer that is held up leaves a part of a file, which is then what there is: these come whole.
    const outside = dirname(cluster.member('alpha').volume)
    const digests = sizes.map((sizeBytes, n) => {
      const digest = writeLarge(join(outside, `large-${n}`), sizeBytes, random)
      renameSync(join(outside, `large-${n}`), at('alpha', `large-${n}`))
      return digest
    })
    expect(await sizesSeen(sizes.length)).toEqual(sizes.map((size) => [size]))
    await untilAgreed(cluster, sizes.length, deadlineMs)
    expect(sizes.map((_, n) => digestOf(at('beta', `large-${n}`)))).toEqual(digests)
    // A byte in the middle, and a new name: by digest the rest need not travel for the latter.
    const fd = openSync(at('alpha', 'large-0'), 'r+')
    writeSync(fd, 'X', Math.floor(largeBytes / 4), 'latin1')
    closeSync(fd)
    renameSync(at('alpha', 'large-1'), at('alpha', 'renamed-1'))
    const changed = digestOf(at('alpha', 'large-0'))
    await until(() => (digestOf(at('beta', 'large-0')) === changed ? null : 'the old one'), {
      deadlineMs,
      everyMs: 1_000,
    })
    await untilAgreed(cluster, sizes.length, deadlineMs)
    expect(digestOf(at('beta', 'renamed-1'))).toBe(digests[1])
  },
)

test(
  `a folder of ${photos} photos of 3 to 8 MB arrives, from both sides (WORK_SEED=${seed})`,
  { timeout: 2 * deadlineMs },
  async () => {
    const random = new Random(seed)
    cluster = await startCluster()
    const names = Array.from({ length: photos }, (_, n) => `IMG_${n}.JPG`)
    const digests = names.map((name, n) =>
      writeLarge(
        at(n % 4 === 0 ? 'beta' : 'alpha', name),
        (3 + random.fraction() * 5) * MiB,
        random,
      ),
    )
    await untilAgreed(cluster, photos, deadlineMs)
    for (const member of ['alpha', 'beta'])
      expect(names.map((name) => digestOf(at(member, name)))).toEqual(digests)
  },
)

async function startCluster(): Promise<Cluster> {
  const made = await Cluster.make(['alpha', 'beta'], { settings: { SYND_DURABILITY: 'none' } })
  cluster = made
  await made.start()
  return made
}

function at(member: string, name: string): string {
  return join(cluster.member(member).volume, name)
}

/** The sizes in which somebody who looks all the time saw each file, until all are there. */
async function sizesSeen(files: number): Promise<number[][]> {
  const seen = Array.from({ length: files }, () => new Set<number>())
  await until(
    () => {
      for (const [n, sizes] of seen.entries()) {
        const size = statSync(at('beta', `large-${n}`), { throwIfNoEntry: false })?.size
        if (size !== undefined) sizes.add(size)
      }
      return seen.every((sizes) => sizes.size > 0) ? null : 'some are missing'
    },
    { deadlineMs, everyMs: 20 },
  )
  return seen.map((sizes) => [...sizes])
}

/** Bytes that nothing makes smaller; gives their digest. */
function writeLarge(path: string, size: number, random: Random): string {
  const sizeBytes = Math.floor(size)
  const key = Buffer.from(random.id64() + random.id64(), 'hex')
  const stream = createCipheriv('aes-128-ctr', key, key)
  const hash = createHash('sha256')
  const zeros = Buffer.alloc(MiB)
  const fd = openSync(path, 'w')
  for (let left = sizeBytes; left > 0; left -= MiB) {
    const chunk = stream.update(zeros.subarray(0, Math.min(left, MiB)))
    hash.update(chunk)
    writeSync(fd, chunk)
  }
  closeSync(fd)
  return hash.digest('hex')
}

function digestOf(path: string): string {
  const hash = createHash('sha256')
  const memory = Buffer.alloc(MiB)
  const fd = openSync(path, 'r')
  for (let count = readSync(fd, memory); count > 0; count = readSync(fd, memory))
    hash.update(memory.subarray(0, count))
  closeSync(fd)
  return hash.digest('hex')
}
