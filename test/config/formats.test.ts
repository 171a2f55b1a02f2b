import { describe, expect, test } from 'vitest'
import {
  formatHostPort,
  parseListenAddress,
  parseListenAddressOrOff,
} from '../../src/config/addresses.ts'
import { FormatError } from '../../src/config/format-error.ts'
import {
  listOf,
  oneOf,
  parseIntervalMs,
  parseOptionalName,
  parseOptionalPath,
  parsePath,
  parseShareOrOff,
} from '../../src/config/formats.ts'
import { formatPeer, parsePeer } from '../../src/config/peer-address.ts'
import { parseSshAdvertise } from '../../src/config/ssh-advertise.ts'

/** A format with the texts it takes and those it must refuse. */
interface Table {
  readonly format: (text: string) => unknown
  readonly good: readonly (readonly [string, unknown])[]
  readonly bad: readonly string[]
}

const host = (name: string, port: number, address = `${name}:${port}`) => ({
  kind: 'host',
  host: name,
  port,
  address,
})

const longLabel = 'a'.repeat(64)
const longName = Array.from({ length: 60 }, () => 'abcd').join('.')

const tables: Readonly<Record<string, Table>> = {
  duration: {
    format: parseIntervalMs,
    good: [
      ['250ms', 250],
      ['5s', 5000],
      ['10m', 600_000],
      ['36h', 129_600_000],
      ['500h', 1_800_000_000],
      ['100ms', 100],
    ],
    bad: [
      '',
      '5',
      '10MB',
      '5 s',
      ' 5s',
      '5s ',
      '5S',
      '1.5h',
      '-5s',
      '+5s',
      '0s',
      '99ms',
      '501h',
      '1d',
      '5sec',
      '1h30m',
      's',
      'ms',
      '5e3ms',
      '0x10s',
      '٥s',
      '5s\n',
      'off',
      '9999999999h',
    ],
  },
  'share or off': {
    format: parseShareOrOff,
    good: [
      ['50%', 0.5],
      ['0%', 0],
      ['100%', 1],
      ['12.5%', 0.125],
      ['off', null],
    ],
    bad: [
      '',
      '50',
      '0.5',
      '101%',
      '-1%',
      '50 %',
      ' 50%',
      '50%%',
      'OFF',
      'false',
      'no',
      '0',
      '1e1%',
      '%',
      '5,5%',
    ],
  },
  word: {
    format: oneOf(['full', 'none']),
    good: [
      ['full', 'full'],
      ['none', 'none'],
    ],
    bad: ['', 'FULL', 'full ', 'true', 'ful', '0'],
  },
  path: {
    format: parsePath,
    good: [
      ['/data', '/data'],
      ['/data/', '/data'],
      ['/a/../b', '/b'],
      ['data', `${process.cwd()}/data`],
      ['/with space', '/with space'],
    ],
    bad: ['', ' /data', '/data ', '/da\0ta', '/data\n'],
  },
  'optional path': {
    format: parseOptionalPath,
    good: [
      ['', null],
      ['/x', '/x'],
    ],
    bad: [' ', '/x\0'],
  },
  name: {
    format: parseOptionalName,
    good: [
      ['', null],
      ['host-a', 'host-a'],
      ['Büro "2" {x}', 'Büro "2" {x}'],
    ],
    bad: ['a\nb', 'a\u001B[31m', ' a', 'a ', 'x'.repeat(256), 'a\u202Eb'],
  },
  listen: {
    format: parseListenAddress,
    good: [
      ['0.0.0.0:50051', { host: '0.0.0.0', port: 50051 }],
      ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
      ['localhost:65535', { host: 'localhost', port: 65535 }],
      ['[::1]:50051', { host: '::1', port: 50051 }],
      ['[::]:9464', { host: '::', port: 9464 }],
    ],
    bad: [
      '',
      ':50051',
      '*:50051',
      '50051',
      '0.0.0.0',
      '0.0.0.0:',
      '0.0.0.0:65536',
      '0.0.0.0:-1',
      '::1:50051',
      '[::1]',
      '[::1]:',
      '[127.0.0.1]:1',
      '[x]:1',
      '[]:1',
      '[::1]50051',
      'off',
      '0.0.0.0:5x',
      '0.0.0.0: 5',
      '0.0.0.0:5 ',
      '256.0.0.1:1',
      '1.2.3:4',
      'a b:1',
      'a/b:1',
      'http://x:1',
      '0.0.0.0:1:2',
      '-a:1',
      'a-:1',
      'a..b:1',
      `${longLabel}:1`,
      'bü:1',
      'x:1e2',
    ],
  },
  'listen or off': {
    format: parseListenAddressOrOff,
    good: [
      ['off', null],
      ['0.0.0.0:2222', { host: '0.0.0.0', port: 2222 }],
    ],
    bad: ['', 'Off', 'none', '2222', 'false'],
  },
  peer: {
    format: parsePeer,
    good: [
      ['host-b', host('host-b', 50051)],
      ['host-b:7', host('host-b', 7)],
      ['host_b.example.', host('host_b.example.', 50051)],
      ['10.0.0.2', host('10.0.0.2', 50051)],
      ['[fd00::2]', host('fd00::2', 50051, '[fd00::2]:50051')],
      ['[fd00::2]:7', host('fd00::2', 7, '[fd00::2]:7')],
      ['dns:synd', { kind: 'dns', name: 'synd', port: 50051 }],
      ['dns:synd.ns.svc:7', { kind: 'dns', name: 'synd.ns.svc', port: 7 }],
    ],
    bad: [
      '',
      'host-b:0',
      'host-b:',
      'host-b:x',
      'host-b:65536',
      'fd00::2',
      '::1',
      'a b',
      'a/b',
      'ssh://a',

      'dns:',
      'dns::7',
      'dns:10.0.0.1',
      'dns:[::1]',
      'dns:a:b',
      'DNS:a:1',
      'host"b',
      'a\nb',
      '%61',
      '10.0.0',
      '10.0.0.256',
      longLabel,
      `${longName}.${longName}`,
      'user@host',
      'dns: a',
    ],
  },
  'ssh url': {
    format: parseSshAdvertise,
    good: [
      ['', null],
      ['ssh://host:2022', { kind: 'embedded', host: 'host', port: 2022 }],
      ['ssh://[::1]:2022', { kind: 'embedded', host: '::1', port: 2022 }],
      [
        'ssh://u@host:22/srv/data',
        { kind: 'openssh', user: 'u', host: 'host', port: 22, root: '/srv/data' },
      ],
      [
        'ssh://u@host/srv/my%20data',
        { kind: 'openssh', user: 'u', host: 'host', port: 22, root: '/srv/my data' },
      ],
    ],
    bad: [
      'host:22',
      'ssh://',
      'ssh://host',
      'ssh://host:22/path',
      'ssh://u@host:22',
      'ssh://u:p@host:22/x',

      'ssh://@host:22/x',
      'sftp://u@host:22/x',
      'ssh://u@host:0/x',
      'ssh://u@host:22x/x',
      'SSH://h:1',

      'ssh://u@host:22/%zz',
      'ssh://u@host:22/%00',
      'ssh://u@host/../x',
      'ssh://u@host/a/%2e%2e/b',

      'ssh://-oProxyCommand=x@host/x',
      'ssh://-x:22',
      'ssh://u@-x:22/x',
      ' ssh://h:1',
      'ssh://u@@h/x',
    ],
  },
  'list of peers': {
    format: listOf(parsePeer, formatPeer),
    good: [
      ['', []],
      ['  ', []],
      ['a', [host('a', 50051)]],
      [' a , b:7 ', [host('a', 50051), host('b', 7)]],
      ['a,a:50051,dns:a,dns:a', [host('a', 50051), { kind: 'dns', name: 'a', port: 50051 }]],
    ],
    bad: [',', 'a,', ',a', 'a,,b', 'a b', 'a;b', 'a, ,b'],
  },
}

describe.each(Object.entries(tables))('the format of a %s', (_, { format, good, bad }) => {
  test.each(good)('takes %j', (text, value) => {
    expect(format(text)).toEqual(value)
  })

  test.each(bad.map((text) => [text] as const))('refuses %j', (text) => {
    expect(() => format(text)).toThrow(FormatError)
  })
})

test('an address is written so that it parses again', () => {
  for (const text of ['0.0.0.0:1', 'host-b:7', '[::1]:50051'])
    expect(formatHostPort(parseListenAddress(text))).toBe(text)
  for (const text of ['host-b:7', '[fd00::2]:7', 'dns:synd:7'])
    expect(formatPeer(parsePeer(text))).toBe(text)
})
