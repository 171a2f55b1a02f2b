import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type * as Yaml from 'yaml'
import { SyndError } from '../core/errors.ts'
import { closestName } from './close-name.ts'
import type { Given, GivenSettings } from './given.ts'
import { schema, settingNames, type SettingName } from './schema.ts'

/**
 * The settings in a JSON or YAML file. Keys are the variables' names without `SYND_` in any usual spelling (`grpcListen`,
 * `grpc-listen`, `grpc_listen`, `SYND_GRPC_LISTEN`, or `listen` below `grpc`); values are texts, lists of texts for lists.
 */
export function readSettingsFile(path: string): GivenSettings {
  const names = new Map(settingNames.map((name) => [plainKey(schema[name].env), name]))
  // A file cannot name another file.
  names.delete(plainKey(schema.config.env))
  const given = new Map<SettingName, Given>()
  for (const [key, value] of leaves(parse(path), '')) {
    const where = `${key} in ${path}`
    const name = names.get(plainKey(key))
    if (name === undefined) throw unknownKey(key, path)
    if (given.has(name))
      throw new SyndError('bad-settings', `${where} is given twice: drop one of them`)
    const text = textOf(name, value)
    if (text === null)
      throw new SyndError('bad-settings', `${where} is no text: expected a single value`)
    given.set(name, { text, source: 'file', where })
  }
  return given
}

function parse(path: string): unknown {
  const text = read(path)
  let root: unknown
  try {
    root = parseTexts(text)
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    const reason = message.replace(/:?\n.*/s, '')
    throw new SyndError(
      'bad-settings',
      `SYND_CONFIG: ${path} is neither JSON nor YAML: ${reason}`,
      { cause },
    )
  }
  if (typeof root === 'object' && !Array.isArray(root)) return root ?? {}
  const example = 'grpcListen: 0.0.0.0:50051'
  throw new SyndError(
    'bad-settings',
    `SYND_CONFIG: ${path} has no keys: write lines such as ${example}`,
  )
}

/** The document with every scalar as the text that was written: 007, 1e3 and true are not made into something else. */
function parseTexts(text: string): unknown {
  // Loaded for whoever has such a file: it would take 1.4 MiB from everybody.
  const { parseDocument, visit }: typeof Yaml = createRequire(import.meta.url)('yaml')
  const document = parseDocument(text, { schema: 'core', logLevel: 'error' })
  const [error] = document.errors
  if (error !== undefined) throw error
  visit(document, {
    Scalar(_, node) {
      if (node.value !== null && typeof node.value !== 'string') node.value = node.source
    },
  })
  return document.toJS()
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    throw new SyndError(
      'bad-settings',
      `SYND_CONFIG: cannot read ${path} (${reason}): correct the path or its permissions`,
      { cause },
    )
  }
}

/** Nested keys joined by dots. */
function* leaves(value: unknown, prefix: string): Iterable<readonly [string, unknown]> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    yield [prefix, value]
    return
  }
  for (const [key, inner] of Object.entries(value))
    yield* leaves(inner, prefix === '' ? key : `${prefix}.${key}`)
}

function textOf(name: SettingName, value: unknown): string | null {
  if (typeof value === 'string') return value
  if (value === null) return ''
  const isTexts = Array.isArray(value) && value.every((item) => typeof item === 'string')
  return isTexts && name === 'peers' ? value.join(',') : null
}

/** `grpclisten` for each spelling of the key. */
function plainKey(key: string): string {
  return key
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '')
    .replace(/^synd/, '')
}

function unknownKey(key: string, path: string): SyndError {
  const names = settingNames.filter((name) => name !== 'config')
  const spellings = names.map((name) => camelCase(schema[name].env))
  const closest = closestName(key, spellings)
  const hint =
    closest === null ? 'drop it; synd --help lists the settings' : `did you mean ${closest}?`
  return new SyndError(
    'bad-settings',
    `${JSON.stringify(key.slice(0, 120))} in ${path} is not a setting: ${hint}`,
  )
}

/** `grpcListen` for `SYND_GRPC_LISTEN`. */
function camelCase(variable: string): string {
  return variable
    .slice('SYND_'.length)
    .toLowerCase()
    .replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
