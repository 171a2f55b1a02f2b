import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv } from 'ajv'
import { expect, test } from 'vitest'
import { schema } from '../../../src/config/schema.ts'
import { repository } from '../support/cache.ts'
import { check } from '../support/command.ts'
import { describeWith } from '../support/engines.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { at, listAt, parseDocuments, readYaml } from '../support/yaml-files.ts'

const compose = readYaml('docker-compose.yml')

/** Fixed inside the container: the compose file says them by its mounts, ports and command. */
const fixedInTheImage = new Set([
  'SYND_CONFIG',
  'SYND_VOLUME',
  'SYND_STATE_DIR',
  'SYND_GRPC_LISTEN',
  'SYND_SSH_LISTEN',
  'SYND_HTTP_LISTEN',
])

test('the compose file is valid by the Compose specification', () => {
  const validate = new Ajv({ strict: false, allErrors: true }).compile(composeSpecification())
  validate(compose)
  expect(validate.errors ?? []).toEqual([])
})

test('the schema would notice a misspelt key', () => {
  const validate = new Ajv({ strict: false }).compile(composeSpecification())
  expect(validate({ services: { synd: { imagee: 'synd' } } })).toBe(false)
})

test('every setting that may differ between hosts is handed on from .env', () => {
  const handedOn = listAt(compose, 'services', 'synd', 'environment').map(
    (entry) => String(entry).split('=')[0],
  )
  const wanted = Object.values(schema)
    .map((setting) => setting.env)
    .filter((name) => !fixedInTheImage.has(name))
  expect(handedOn.toSorted()).toEqual(wanted.toSorted())
})

test('Synd runs without root, without capabilities, on a read-only root, with time to drain', () => {
  const synd = at(compose, 'services', 'synd')
  expect(at(synd, 'user')).toBe('${SYND_UID:-1000}:${SYND_GID:-1000}')
  expect(at(synd, 'read_only')).toBe(true)
  expect(at(synd, 'cap_drop')).toEqual(['ALL'])
  expect(at(synd, 'init')).toBe(true)
  expect(at(synd, 'stop_grace_period')).toBe('20s')
  expect(listAt(synd, 'volumes').map((mount) => at(mount, 'read_only') ?? false)).toEqual([
    false,
    true,
  ])
})

test('Prometheus and Grafana start with the profile `monitoring` only, and answer on this host only', () => {
  const services = Object.entries(Object(at(compose, 'services')))
  const withoutProfile = services.filter(([, service]) => at(service, 'profiles') === undefined)
  expect(withoutProfile.map(([name]) => name)).toEqual(['synd'])
  for (const name of ['prometheus', 'grafana']) {
    expect(at(compose, 'services', name, 'profiles')).toEqual(['monitoring'])
    expect(String(at(compose, 'services', name, 'ports', 0))).toContain(':-127.0.0.1:')
  }
})

test('.env.example sets only variables that the compose file knows', () => {
  const names = [
    ...readFileSync(join(repository, '.env.example'), 'utf8').matchAll(/^#?([A-Z_]+)=/gm),
  ].map((match) => match[1] ?? '')
  const text = readFileSync(join(repository, 'docker-compose.yml'), 'utf8')
  expect(names.length).toBeGreaterThan(10)
  expect(names.filter((name) => !text.includes(name))).toEqual([])
})

describeWith('docker-compose 1.29', ['docker-compose'], () => {
  test('reads the file, and takes settings from .env', async () => {
    const directory = temporaryDirectory('compose')
    writeFileSync(
      join(directory, 'docker-compose.yml'),
      readFileSync(join(repository, 'docker-compose.yml')),
    )
    writeFileSync(
      join(directory, '.env'),
      'SYND_PEERS=other-host\nSYND_LOG_LEVEL=debug\nSYND_UID=4711\n',
    )
    const [config] = parseDocuments(await check('docker-compose', ['config'], { cwd: directory }))
    const synd = at(config, 'services', 'synd')
    expect(at(synd, 'environment', 'SYND_PEERS')).toBe('other-host')
    expect(at(synd, 'environment', 'SYND_LOG_LEVEL')).toBe('debug')
    expect(at(synd, 'environment', 'SYND_MODE')).toBeNull()
    expect(at(synd, 'user')).toBe('4711:1000')
  })
})

/** dclint carries a current copy of the specification's schema. */
function composeSpecification(): Record<string, unknown> {
  const manifest = fileURLToPath(import.meta.resolve('dclint/package.json'))
  const text = readFileSync(join(dirname(manifest), 'schemas', 'compose.schema.json'), 'utf8')
  // Its "$schema" names draft 7 by an address that ajv does not know.
  const { $schema: _, ...rest } = JSON.parse(text)
  return rest
}
