import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeDefault, schema, settingNames } from '../../src/config/schema.ts'

const readme = join(import.meta.dirname, '..', '..', 'README.md')

/** Rows `| `SYND_X` | default | meaning |` of any table, as [variable, default]. */
function settingRows(markdown: string): readonly (readonly [string, string])[] {
  return [...markdown.matchAll(/^\|\s*`(SYND_\w+)`\s*\|\s*([^|]*?)\s*\|/gm)].map(
    ([, variable = '', value = '']) => [variable, value.replaceAll('`', '')] as const,
  )
}

test.skipIf(!existsSync(readme))("README's table of settings and the schema agree", () => {
  const markdown = readFileSync(readme, 'utf8')
  const defaults = new Map(
    settingNames.map((name) => [schema[name].env as string, describeDefault(name)]),
  )
  const rows = settingRows(markdown)
  expect(rows.length).toBeGreaterThan(0)
  for (const [variable, value] of rows)
    expect([variable, value]).toEqual([variable, defaults.get(variable)])
  const mentioned = new Set(markdown.match(/\bSYND_[A-Z_]+\b/g))
  for (const variable of defaults.keys()) expect(mentioned, 'README.md').toContain(variable)
})

test('the rows of a table are found, with and without backquotes around the default', () => {
  const table =
    '| variable | default |\n|---|---|\n| `SYND_A` | `x y` | z |\n| `SYND_B` | empty | z |\n'
  expect(settingRows(table)).toEqual([
    ['SYND_A', 'x y'],
    ['SYND_B', 'empty'],
  ])
})
