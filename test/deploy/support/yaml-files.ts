import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'
import { repository } from './cache.ts'

/** A parsed YAML or JSON value: looked at with `at`, never trusted. */
export type Tree = unknown

/** The value of a YAML file of the checkout. */
export function readYaml(path: string): Tree {
  return parse(readFileSync(join(repository, path), 'utf8'))
}

/** The documents of a YAML stream. */
export function parseDocuments(text: string): Tree[] {
  return parseAllDocuments(text).map((document) => document.toJS())
}

/** What is found by going down keys and indices; undefined where there is nothing. */
export function at(tree: Tree, ...keys: readonly (string | number)[]): Tree {
  let value: Tree = tree
  for (const key of keys) {
    if (value === null || typeof value !== 'object') return undefined
    value = Reflect.get(value, key)
  }
  return value
}

/** The list there; empty where there is none. */
export function listAt(tree: Tree, ...keys: readonly (string | number)[]): readonly Tree[] {
  const value = at(tree, ...keys)
  return Array.isArray(value) ? value : []
}

/** The text there; empty where there is none. */
export function textAt(tree: Tree, ...keys: readonly (string | number)[]): string {
  const value = at(tree, ...keys)
  return typeof value === 'string' ? value : ''
}
