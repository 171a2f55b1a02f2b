import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

/** The map in src/README.md says where each rule lives and what holds it: that stays true. */

const root = join(import.meta.dirname, '..')
const map = readFileSync(join(root, 'src', 'README.md'), 'utf8')

/** Every source and test, by its path from the root. */
const files = new Map(
  ['src', 'test'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${folder}/${name}`)
      .map((path): [string, string] => [path, readFileSync(join(root, path), 'utf8')]),
  ),
)

/** Rows `| 7 | rule | where | test |` as [number, where, test], the latter two as lists of paths. */
function ruleRows(markdown: string): (readonly [number, readonly string[], readonly string[]])[] {
  return [...markdown.matchAll(/^\| (\d+) \|.*\|(.*)\|(.*)\|$/gm)].map(
    ([, rule = '', where = '', tests = '']) => [Number(rule), pathsIn(where), pathsIn(tests)],
  )
}

/** What stands in backquotes. */
function pathsIn(markdown: string): string[] {
  return [...markdown.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path)
}

/** Files with a test, a table of tests or a group of them that is named by the rule. */
function testsOf(rule: number): string[] {
  const call = String.raw`(?:\b(?:test|describe|withVolume)\b[^\n]*|\]\)\()`
  const title = new RegExp(`${call}\\s*['"\`]rule ${rule}: `)
  return [...files].flatMap(([path, text]) => (title.test(text) ? [path] : []))
}

describe('the table of rules in src/README.md', () => {
  const rows = ruleRows(map)

  test('has each of the 23 rules once', () => {
    const numbers = rows.map(([rule]) => rule)
    expect(numbers).toEqual(Array.from({ length: 23 }, (_, i) => i + 1))
  })

  test.each(rows)(
    'rule %i names files that exist, of the tests only those that name it',
    (rule, where, tests) => {
      expect(where.filter((path) => !existsSync(join(root, 'src', path)))).toEqual([])
      const named = testsOf(rule)
      expect(named, `no test is named "rule ${rule}: …"`).not.toEqual([])
      const listed = tests.filter((path) => path.includes('/')).map((path) => `test/${path}`)
      expect(listed.filter((path) => !named.includes(path))).toEqual([])
      expect(listed.length).toBeGreaterThan(0)
    },
  )

  test('is read right', () => {
    const row = '| 7 | **Copies** are `named` | `core/a.ts`, `volume/` | `core/a.test.ts` |'
    expect(ruleRows(`| | rule | where | test |\n|---|---|---|---|\n${row}\n`)).toEqual([
      [7, ['core/a.ts', 'volume/'], ['core/a.test.ts']],
    ])
  })
})

describe('documents', () => {
  test.each(['README.md', 'SECURITY.md', 'src/README.md'])(
    '%s links to what exists',
    (document) => {
      const text = readFileSync(join(root, document), 'utf8')
      const links = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, link = '']) => link)
      const here = links.filter((link) => !link.includes('://'))
      expect(here.length).toBeGreaterThan(0)
      expect(here.filter((link) => !existsSync(join(root, document, '..', link)))).toEqual([])
    },
  )

  test('every document that a source or a test mentions is in the repository', () => {
    const missing = [...files].flatMap(([path, text]) =>
      [...text.matchAll(/\b[\w/-]+\.md\b/g)]
        .map(([name]) => name)
        .filter((name) => !isDocument(name, path))
        .map((name) => `${path}: ${name}`),
    )
    expect(missing).toEqual([])
  })
})

/** From the root, from `deploy`, or from where it is mentioned. */
function isDocument(name: string, path: string): boolean {
  const places = [root, join(root, 'deploy'), join(root, path, '..')]
  return places.some((place) => existsSync(join(place, name)))
}
