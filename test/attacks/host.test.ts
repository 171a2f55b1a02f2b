import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { request } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../e2e/wait.ts'
import { run } from '../transfer/tools.ts'
import { besiege, type Siege } from './siege.ts'

/*
 * What a user of the host or of the network can do with the process itself and its HTTP port. The sidecars run with an open umask, and with
 * every variable that points to a proxy.
 */

const launcher = join(import.meta.dirname, '..', '..', 'bin', 'synd.js')
const passphrase = 'correct horse battery staple'
const secretName = 'Gehaltsliste 2026.ods'

let siege: Siege
let proxied = 0
const proxy = createServer((socket) => {
  proxied++
  socket.destroy()
})

beforeAll(async () => {
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const address = proxy.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  const names = ['http', 'https', 'all', 'grpc'].map((name) => `${name}_proxy`)
  const variables = [...names, ...names.map((name) => name.toUpperCase())]
  const passphraseFile = join(mkdtempSync(join(tmpdir(), 'synd-test-')), 'passphrase')
  writeFileSync(passphraseFile, `${passphrase}\n`, { mode: 0o600 })
  siege = await besiege({
    settings: {
      ...Object.fromEntries(variables.map((name) => [name, url])),
      NODE_USE_ENV_PROXY: '1',
      SYND_SSH_KEY_PASSPHRASE_FILE: passphraseFile,
    },
    command: ['sh', '-c', 'umask 000; exec "$0" "$@"', process.execPath, launcher, 'run'],
  })
})
afterAll(async () => {
  proxy.close()
  await siege.stop()
})

const port = (): number => siege.victim.ports.http

function dial(text: string): Socket {
  const socket = connect({ host: '127.0.0.1', port: port() })
  socket.on('error', () => {})
  socket.write(text)
  socket.resume()
  return socket
}

/** As from another host: 127.0.0.2 is not the loopback address. */
function ask(path: string, method = 'GET'): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', localAddress: '127.0.0.2', port: port(), path, method }
    const asked = request(options, (response) => {
      let text = `${response.statusCode}\n`
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('end', () => resolve(text))
    })
    asked.on('error', reject)
    asked.end()
  })
}

test('proxies of the environment are never asked', async () => {
  await siege.expectServed()
  expect(proxied).toBe(0)
})

test('what is in .synd is closed to others whatever the umask says', () => {
  const open: string[] = []
  const look = (path: string): void => {
    const { mode } = lstatSync(path)
    if ((mode & 0o077) !== 0) open.push(`${path} ${(mode & 0o7777).toString(8)}`)
    if (!lstatSync(path).isDirectory()) return
    for (const name of readdirSync(path)) look(join(path, name))
  }
  look(join(siege.victim.volume, '.synd'))
  expect(open).toEqual([])
})

test('no name of a file, key or passphrase is in the log, in metrics, in replies to others, or in the printed configuration', async () => {
  const { victim } = siege
  mkdirSync(join(victim.volume, 'Personal'))
  victim.hands.write(`Personal/${secretName}`, 'secret content')
  const pipe = join(victim.volume, `${secretName}.pipe`)
  await run('mkfifo', [pipe])
  await until(async () => {
    const status = await victim.process.status()
    return status?.problems.some(({ path }) => path?.includes('.pipe')) === true ? null : 'not told'
  })
  await siege.expectServed()
  const texts = [victim.process.output, await ask('/metrics')]
  for (const path of [
    '/status',
    '/readyz',
    '/startupz',
    `/${encodeURIComponent(secretName)}`,
    '/.synd',
  ])
    texts.push(await ask(path))
  for (const path of ['/approve', '/reject']) texts.push(await ask(path, 'POST'))
  const check = await run('env', [
    ...Object.entries(victim.process.environment).map(([name, value]) => `${name}=${value}`),
    process.execPath,
    launcher,
    'config',
    'check',
  ])
  texts.push(check.stdout, check.stderr)
  const key = readFileSync(victim.process.environment['SYND_SSH_KEY'] ?? '', 'utf8')
  const [, body = ''] = key.split('\n')
  expect(body.length).toBeGreaterThan(60)
  for (const text of texts) {
    expect(text).not.toContain('Gehaltsliste')
    expect(text).not.toContain('Personal')
    expect(text).not.toContain(passphrase)
    expect(text).not.toContain(body)
  }
  expect(texts[2]).toContain('"problems": 1')
})

test('a thousand scrapes, a hundred at a time, are all answered, and keep nobody waiting', async () => {
  const answers: string[] = []
  const before = await siege.rejected('http', 'connections')
  const scrapeOn = async (): Promise<void> => {
    for (let count = 0; count < 10; count++) answers.push(await ask('/metrics'))
  }
  const scrapes = Promise.all(Array.from({ length: 100 }, scrapeOn))
  await siege.expectServed()
  await scrapes
  expect(answers).toHaveLength(1000)
  for (const answer of answers) expect(answer).toMatch(/^200\n[^]*\nsynd_build_info\{/)
  expect(await siege.rejected('http', 'connections')).toBe(before)
})

test("it runs without NODE_OPTIONS, which could be somebody else's", () => {
  const { pid } = siege.victim.process
  expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).toContain('SYND_VOLUME=')
  expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain('NODE_OPTIONS=')
})

test('a thousand scrapes in one go and five hundred callers who drip keep nobody waiting', async () => {
  const slow = Array.from({ length: 500 }, () => dial('GET /metrics HTTP/1.1\r\nX-'))
  const drip = setInterval(() => {
    for (const socket of slow) if (socket.writable) socket.write('x')
  }, 500)
  const scrapes = Array.from({ length: 1000 }, () =>
    dial('GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
  )
  await siege.expectServed()
  expect((await ask('/livez')).startsWith('200')).toBe(true)
  await siege.untilRejected('http', 'connections')
  clearInterval(drip)
  for (const socket of [...slow, ...scrapes]) socket.destroy()
})
