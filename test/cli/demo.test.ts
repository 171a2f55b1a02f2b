import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'

const launcher = join(import.meta.dirname, '..', '..', 'bin', 'synd.js')
const patience = { timeout: 90_000, interval: 50 }
const started: ChildProcess[] = []

afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    const ended = once(child, 'exit')
    child.kill('SIGINT')
    await ended
  }
})

interface Demo {
  readonly child: ChildProcess
  readonly output: () => string
  /** The two folders. */
  readonly folders: readonly [string, string]
}

async function startDemo(): Promise<Demo> {
  const child = spawn(process.execPath, [launcher, 'demo'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Settings of whoever tries the demo are not the demo's.
    env: { ...process.env, SYND_VOLUME: '/nowhere', SYND_NO_SUCH_SETTING: 'x' },
  })
  started.push(child)
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  await expect.poll(() => text, patience).toContain('Ctrl-C stops both peers')
  const [, a = ''] = /^ {2}A {2}(\S+) +http:\/\/127\.0\.0\.1:\d+\/status$/m.exec(text) ?? []
  const [, b = ''] = /^ {2}B {2}(\S+) +http:\/\/127\.0\.0\.1:\d+\/status$/m.exec(text) ?? []
  expect([existsSync(a), existsSync(b)]).toEqual([true, true])
  return { child, output: () => text, folders: [a, b] }
}

/** The processes that this one started. */
function childrenOf(pid: number | undefined): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const fields = readFileSync(`/proc/${name}/stat`, 'latin1')
          .replace(/^.*\) /, '')
          .split(' ')
        return Number(fields[1]) === pid && fields[0] !== 'Z'
      } catch {
        return false
      }
    })
    .map(Number)
}

test('files dropped into either folder are synced and told, and Ctrl-C leaves nothing behind', async () => {
  const { child, output, folders } = await startDemo()
  const [a, b] = folders
  writeFileSync(join(a, 'hello.txt'), 'hello')
  await expect.poll(output, patience).toMatch(/ {2}hello\.txt appeared in A, and .* in B\n/)
  expect(readFileSync(join(b, 'hello.txt'), 'utf8')).toBe('hello')
  writeFileSync(join(b, 'hello.txt'), 'hello back')
  await expect.poll(output, patience).toMatch(/ {2}hello\.txt changed in B, and .* in A\n/)
  expect(readFileSync(join(a, 'hello.txt'), 'utf8')).toBe('hello back')
  rmSync(join(a, 'hello.txt'))
  await expect.poll(output, patience).toMatch(/ {2}hello\.txt was deleted in A, and .* in B\n/)

  const children = childrenOf(child.pid)
  expect(children).toHaveLength(2)
  const ended = once(child, 'exit')
  child.kill('SIGINT')
  expect(await ended).toEqual([0, null])
  expect(output()).toContain('both folders are removed')
  expect(existsSync(join(a, '..', '..'))).toBe(false)
  for (const pid of children) expect(existsSync(`/proc/${pid}`)).toBe(false)
})

test('a peer that ends is told, and the other is stopped', async () => {
  const { child, output, folders } = await startDemo()
  const [victim = 0, other = 0] = childrenOf(child.pid)
  const ended = once(child, 'exit')
  process.kill(victim, 'SIGKILL')
  expect(await ended).toEqual([1, null])
  expect(output()).toMatch(/\nsynd: peer [AB] has ended: SIGKILL\n$/)
  expect(existsSync(`/proc/${other}`)).toBe(false)
  expect(existsSync(join(folders[0], '..', '..'))).toBe(false)
})
