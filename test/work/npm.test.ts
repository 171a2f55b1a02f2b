import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Cluster } from '../e2e/cluster.ts'
import { until } from '../e2e/wait.ts'
import { patientMs, untilAtRest } from './at-rest.ts'
import { ConstantReader, type TornRead } from './constant-reader.ts'

const root = join(import.meta.dirname, '..', '..')

/** What this repository needs at run time: some thousands of files. */
const words = ['ci', '--offline', '--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund']

let cluster: Cluster
let reader: ConstantReader | null = null

afterEach(async () => {
  await reader?.terminate()
  await cluster.stop()
}, patientMs)

test(
  'npm ci into the volume arrives, also when it removes and installs everything anew while that is still on its way',
  { timeout: 3 * patientMs },
  async () => {
    cluster = await Cluster.make(['alpha', 'beta'])
    await cluster.start()
    const here = join(cluster.member('alpha').volume, 'app')
    const there = join(cluster.member('beta').volume, 'app')
    mkdirSync(here)
    reader = await ConstantReader.start(there, 'npm')
    for (const name of ['package.json', 'package-lock.json'])
      cpSync(join(root, name), join(here, name))
    install(here)
    await untilAtRest(cluster, 500)
    const installed = count(there)
    expect(installed).toBeGreaterThan(2_000)
    expectLoadable(there)
    // npm removes what is there first: deletes and creates of the same names pass each other.
    install(here)
    await until(() => (count(there) > 0 ? null : 'nothing is there'), { deadlineMs: patientMs })
    rmSync(join(here, 'node_modules'), { recursive: true })
    install(here)
    await untilAtRest(cluster, 500)
    expect(count(there)).toBe(installed)
    expectLoadable(there)
    const { judged, faults } = await reader.end()
    expect(faults.filter((fault) => !isBeginning(there, fault))).toEqual([])
    expect(judged).toBeGreaterThan(500)
  },
)

/** From npm's cache; where that lacks something, what is installed here is copied, package by package, as npm would put it there. */
function install(directory: string): void {
  const done = spawnSync('npm', words, {
    cwd: directory,
    stdio: 'pipe',
    encoding: 'utf8',
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOfNpm(name))),
  })
  if (done.status === 0) return
  if (process.env['CI'] === 'true') throw new Error(done.stderr)
  rmSync(join(directory, 'node_modules'), { recursive: true, force: true })
  execFileSync('cp', ['-a', join(root, 'node_modules'), directory])
}

/** Who runs the tests by npm has variables that tell it where it is. */
function isOfNpm(name: string): boolean {
  return name.startsWith('npm_') && name !== 'npm_config_cache'
}

/** npm writes under the last name: what it had written by then may have been taken and sent, and is a whole version of its own. */
function isBeginning(directory: string, { path, sizeBytes, digest }: TornRead): boolean {
  const whole = readFileSync(join(directory, path))
  return createHash('sha256').update(whole.subarray(0, sizeBytes)).digest('hex') === digest
}

function count(directory: string): number {
  return readdirSync(join(directory, 'node_modules'), { recursive: true }).length
}

/** A package of many files, with others that it needs. */
function expectLoadable(directory: string): void {
  const script = "process.stdout.write(typeof require('@grpc/grpc-js').Client)"
  const said = execFileSync(process.execPath, ['-e', script], { cwd: directory, encoding: 'utf8' })
  expect(said).toBe('function')
}
