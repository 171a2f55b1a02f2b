import { beforeEach, describe, expect, test } from 'vitest'
import { SyndError } from '../../src/core/errors.ts'
import { createLog, type Log } from '../../src/observe/log.ts'

const lines: string[] = []
let log: Log

beforeEach(() => {
  lines.length = 0
  log = create('debug')
})

function create(level: 'debug' | 'info' | 'warn' | 'error'): Log {
  const destination = { write: (line: string) => void lines.push(line) }
  return createLog({ level, peerName: 'host-a', volume: '/data', destination })
}

function last(): Record<string, unknown> {
  return JSON.parse(lines.at(-1) ?? '{}')
}

test('a line is one JSON object with level, time, name and message', () => {
  log('info', 'started', { port: 9464 })
  expect(lines).toHaveLength(1)
  expect(lines[0]?.endsWith('\n')).toBe(true)
  expect(last()).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    name: 'host-a',
    msg: 'started',
    port: 9464,
  })
})

test('lines below the level are not written', () => {
  const quiet = create('warn')
  quiet('debug', 'a')
  quiet('info', 'b')
  quiet('warn', 'c')
  quiet('error', 'd')
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['c', 'd'])
})

test('a field cannot take the place of the base fields', () => {
  log('info', 'x', { level: 'l', time: 't', name: 'n', msg: 'm' })
  expect(last()).toMatchObject({
    level: 'info',
    name: 'host-a',
    msg: 'x',
    level_: 'l',
    time_: 't',
    name_: 'n',
    msg_: 'm',
  })
})

describe('names of files', () => {
  test.each(['info', 'warn', 'error'] as const)('are in no line of level %s', (level) => {
    log(level, 'x', {
      path: 'secret.txt',
      paths: ['secret.txt'],
      target: 'secret.txt',
      peer: 'host-b:50051',
      nested: { entry: { path: 'secret.txt' }, count: 1 },
      error: new SyndError(
        'io',
        "EACCES: permission denied, rename '/data/secret.txt' -> '/data/b/secret 2.txt'",
        {
          cause: new Error("ENOENT: no such file or directory, open '/data/secret.txt'"),
        },
      ),
    })
    expect(lines[0]).not.toContain('secret')
    expect(last()).toMatchObject({
      peer: 'host-b:50051',
      nested: { count: 1 },
      error: {
        type: 'SyndError',
        code: 'io',
        message: "EACCES: permission denied, rename '<volume>/…' -> '<volume>/…'",
        cause: { message: "ENOENT: no such file or directory, open '<volume>/…'" },
      },
    })
    expect(last()['error']).not.toHaveProperty('stack')
  })

  test('are told from paths of settings and keys', () => {
    log('info', 'x', {
      path: '/etc/synd/ssh/authorized_keys',
      target: '/data/secret.txt',
      directory: '/database',
    })
    expect(last()).toMatchObject({ path: '/etc/synd/ssh/authorized_keys', directory: '/database' })
    expect(lines[0]).not.toContain('secret')
  })

  test('are in debug lines', () => {
    log('debug', 'x', { path: 'a.txt', error: new Error("open '/data/a.txt'") })
    expect(last()).toMatchObject({
      path: 'a.txt',
      error: { message: "open '/data/a.txt'", stack: expect.any(String) },
    })
  })
})

test('secrets are in no line at all', () => {
  for (const level of ['debug', 'error'] as const)
    log(level, 'x', {
      passphrase: 'hunter2',
      privateKeyPem: 'hunter2',
      nested: { token: 'hunter2' },
      text: '-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2',
      error: new Error('bad key -----BEGIN RSA PRIVATE KEY-----\nhunter2'),
    })
  expect(lines.join('')).not.toContain('hunter2')
})

test('what comes from outside stays on one line and within bounds', () => {
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  log('warn', 'x', {
    text: 'a\nb\u001B[31m',
    long: 'x'.repeat(100_000),
    big: 2n ** 64n,
    circular,
    nothing: undefined,
    none: null,
  })
  expect(lines[0]?.trimEnd()).not.toMatch(/\p{Cc}/u)
  expect(lines[0]?.length).toBeLessThan(5000)
  expect(last()).toMatchObject({ text: 'a\nb\u001B[31m', big: '18446744073709551616', none: null })
})
