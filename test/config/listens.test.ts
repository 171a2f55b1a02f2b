import { expect, test } from 'vitest'
import { loadSettings } from '../../src/config/settings.ts'

const load = (environment: Record<string, string>) => loadSettings([], environment)

test('two settings with one port are refused, naming what was given', () => {
  expect(() => load({ SYND_GRPC_LISTEN: '0.0.0.0:2222' })).toThrow(
    'SYND_GRPC_LISTEN is "0.0.0.0:2222": expected another port than that of SYND_SSH_LISTEN (0.0.0.0:2222); correct it, or leave it out for the default (0.0.0.0:50051)',
  )
  expect(() => load({ SYND_HTTP_LISTEN: '127.0.0.1:50051' })).toThrow(
    /^SYND_HTTP_LISTEN is "127.0.0.1:50051": expected another port than that of SYND_GRPC_LISTEN/,
  )
})

test.each([
  ['10.0.0.1:7', '10.0.0.1:7'],
  ['Host:7', 'host:7'],
  ['[::]:7', 'host:7'],
  ['127.0.0.1:7', '[::]:7'],
  ['[0:0::0]:7', '0.0.0.0:7'],
  ['[::1]:7', '[0::1]:7'],
])('%s and %s are one place', (ssh, http) => {
  expect(() => load({ SYND_SSH_LISTEN: ssh, SYND_HTTP_LISTEN: http })).toThrow(
    /^SYND_HTTP_LISTEN .* another port than that of SYND_SSH_LISTEN/,
  )
})

test.each([
  ['127.0.0.1:7', '10.0.0.1:7'],
  ['0.0.0.0:7', '[::1]:7'],
  ['0.0.0.0:7', 'some-name:7'],
  ['0.0.0.0:0', '0.0.0.0:0'],
  ['off', '0.0.0.0:2222'],
])('%s and %s can be listened on at once', (ssh, http) => {
  expect(load({ SYND_SSH_LISTEN: ssh, SYND_HTTP_LISTEN: http }).settings.httpListen).toBeTruthy()
})
