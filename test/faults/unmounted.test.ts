import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Cluster, type Member } from '../e2e/cluster.ts'
import { until } from '../e2e/wait.ts'
import { canMount } from '../support/small-file-system.ts'
import { untilAtRest } from './at-rest.ts'

// For a slow, busy machine.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

const files = 30

let cluster: Cluster
let alpha: Member
let beta: Member

describe.skipIf(!canMount)('a volume that is a mount', () => {
  beforeEach(async () => {
    cluster = await Cluster.make(['alpha', 'beta'])
    alpha = cluster.member('alpha')
    beta = cluster.member('beta')
    mkdirSync(disk())
    mount()
    for (let n = 0; n < files; n++) alpha.hands.write(`file-${n}`, `content ${n}`)
    for (const { process } of cluster.members) process.start()
    await untilAtRest(cluster)
  })

  afterEach(async () => {
    for (const { process } of cluster.members) await process.kill()
    // As often as it is mounted.
    while (isMounted()) unmount()
    await cluster.stop()
  })

  test('and is unmounted halts the process, and it goes on by itself once it is mounted again (rule 20)', async () => {
    unmount()
    await untilHalted()
    await changeBeta()
    mount()
    await demandAll()
    expect((await alpha.process.status())?.volume.haltedBecause).toBeNull()
  })

  test('and is not mounted at the start is filled where it would be, and is itself again once it is mounted (rule 20)', async () => {
    await alpha.process.stop()
    unmount()
    alpha.process.start()
    await untilAtRest(cluster)
    expect(alpha.hands.tree().size).toBe(files)
    await changeBeta()
    await untilAtRest(cluster)
    mount()
    await untilHalted()
    await alpha.process.stop()
    alpha.process.start()
    await demandAll()
  })
})

async function changeBeta(): Promise<void> {
  beta.hands.write('file-1', 'edited meanwhile')
  beta.hands.write('new', 'made meanwhile')
  beta.hands.remove('file-2')
}

async function untilHalted(): Promise<void> {
  await until(async () => {
    const volume = (await alpha.process.status())?.volume
    const isHalted = volume?.state === 'halted' && /mounted over/.test(volume.haltedBecause ?? '')
    return isHalted ? null : JSON.stringify(volume)
  })
  expect((await alpha.process.get('/readyz')).status).toBe(503)
}

/** No delete but the one that was meant, no edit lost. */
async function demandAll(): Promise<void> {
  await untilAtRest(cluster)
  expect(beta.hands.tree().size).toBe(files)
  expect(beta.hands.read('file-1')).toBe('edited meanwhile')
  expect(alpha.hands.read('new')).toBe('made meanwhile')
}

/** What is mounted at the place of alpha's volume. */
function disk(): string {
  return `${alpha.volume}-disk`
}

function mount(): void {
  execFileSync('mount', ['--bind', disk(), alpha.volume])
}

/** Lazily: the process has it open. */
function unmount(): void {
  execFileSync('umount', ['-l', alpha.volume])
}

function isMounted(): boolean {
  return readFileSync('/proc/self/mounts', 'utf8').includes(alpha.volume)
}
