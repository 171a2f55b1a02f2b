import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { violationsOf } from './architecture/layers.ts'
import { countCodeLines, readSource } from './architecture/source-text.ts'

const root = join(import.meta.dirname, '..')

/** All sources below these folders, by their path from the root. */
function sourcesIn(...folders: readonly string[]): Map<string, string> {
  const files = new Map<string, string>()
  for (const folder of folders) {
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (!/\.[jt]s$/.test(name)) continue
      files.set(`${folder}/${name}`, readFileSync(join(root, folder, name), 'utf8'))
    }
  }
  return files
}

test('the sources keep to their layers, names and sizes (src/README.md, Layers)', () => {
  const files = sourcesIn('src', 'bin', 'scripts')
  expect(files.size).toBeGreaterThan(50)
  expect(violationsOf(files)).toEqual([])
})

/** A few files that break no rule, for one that does. */
const innocent: Readonly<Record<string, string>> = {
  'src/core/entry.ts': "import { dot } from './dot.ts'\nexport const a = dot\n",
  'src/core/dot.ts': 'export const dot = new Date(0).toISOString()\n',
  'src/engine/ports.ts': "import type { a } from '../core/entry.ts'\nexport type Port = typeof a\n",
  'src/engine/pull/pull.ts': "import type { Port } from '../ports.ts'\nexport type P = Port\n",
  'src/volume/scan.ts': "import { a } from '../core/entry.ts'\nexport const scan = [a]\n",
  'src/volume/disk.ts':
    "import { readFileSync } from 'node:fs'\nimport type { Port } from '../engine/ports.ts'\nexport const disk: Port = readFileSync\n",
  'src/config/settings.ts': 'export const settings = process.env\n',
  'src/cli/run.ts': "import { scan } from '../volume/scan.ts'\nexport const run = scan\n",
  'src/main.ts': "export const main = async () => import('./cli/run.ts')\n",
  'bin/synd.js': 'console.log(process.env)\n',
}

test('files that break no rule pass', () => {
  expect(violationsOf(new Map(Object.entries(innocent)))).toEqual([])
})

describe('a planted violation is seen:', () => {
  test.each<[string, string, string, string]>([
    [
      'an adapter imports another',
      'src/volume/x.ts',
      "import { s } from '../config/settings.ts'",
      'volume imports config',
    ],
    [
      'as a type too',
      'src/store/x.ts',
      "import type { S } from '../config/settings.ts'",
      'store imports config',
    ],
    [
      'below a folder',
      'src/observe/http/x.ts',
      "import { s } from '../../config/settings.ts'",
      'observe imports config',
    ],
    [
      'over several lines',
      'src/rpc/x.ts',
      "import {\n  scan,\n} from '../volume/scan.ts'",
      'rpc imports volume',
    ],
    ['for its effect', 'src/rpc/x.ts', "import '../volume/scan.ts'", 'rpc imports volume'],
    ['dynamically', 'src/rpc/x.ts', "void import('../volume/scan.ts')", 'rpc imports volume'],
    [
      'as a type in place',
      'src/rpc/x.ts',
      "type S = import('../volume/scan.ts').S",
      'rpc imports volume',
    ],
    [
      'as a worker',
      'src/rpc/x.ts',
      "new URL('../volume/scan.ts', import.meta.url)",
      'rpc imports volume',
    ],
    [
      'an adapter imports a value of the ports',
      'src/rpc/x.ts',
      "import { Port } from '../engine/ports.ts'",
      'rpc imports engine',
    ],
    [
      'or a type beside a value',
      'src/rpc/x.ts',
      "import { type Port } from '../engine/ports.ts'",
      'rpc imports engine',
    ],
    [
      'or another file of the engine',
      'src/rpc/x.ts',
      "import type { P } from '../engine/pull/pull.ts'",
      'rpc imports engine',
    ],
    [
      'the engine imports an adapter',
      'src/engine/x.ts',
      "import { scan } from '../volume/scan.ts'",
      'engine imports volume',
    ],
    [
      'the engine imports Node',
      'src/engine/x.ts',
      "import { join } from 'node:path'",
      'engine imports no package',
    ],
    [
      'the engine reads the clock',
      'src/engine/x.ts',
      'const now = Date.now()',
      'reaches for the clock',
    ],
    [
      'the engine makes a date of now',
      'src/engine/x.ts',
      'const now = new Date()',
      'reaches for the clock',
    ],
    ['the engine sets a timer', 'src/engine/x.ts', 'setTimeout(f, 1)', 'reaches for a timer'],
    [
      'core imports the engine',
      'src/core/x.ts',
      "import { P } from '../engine/ports.ts'",
      'core imports engine',
    ],
    [
      'core imports Node',
      'src/core/x.ts',
      "import { createHash } from 'node:crypto'",
      'core imports no package',
    ],
    [
      'core imports a package',
      'src/core/x.ts',
      "import ignore from 'ignore'",
      'core imports no package',
    ],
    ['core takes chance', 'src/core/x.ts', 'const x = Math.random()', 'reaches for chance'],
    ['core waits', 'src/core/x.ts', 'export async function f() {}', 'is not pure: async'],
    ['core logs', 'src/core/x.ts', "console.log('x')", 'reaches for the console'],
    [
      'core looks at the process',
      'src/core/x.ts',
      'const x = process.pid',
      'reaches for the process',
    ],
    ['core, in a template', 'src/core/x.ts', 'const x = `${Math.random()}`', 'reaches for chance'],
    [
      'core, after a regular expression with a quote',
      'src/core/x.ts',
      "const r = /'/g\nconst x = Math.random() // '",
      'reaches for chance',
    ],
    [
      'an adapter imports the program',
      'src/volume/x.ts',
      "import { run } from '../cli/run.ts'",
      'volume imports cli',
    ],
    [
      'the program imports main',
      'src/cli/x.ts',
      "import { main } from '../main.ts'",
      'cli imports main.ts',
    ],
    [
      'a folder without a layer',
      'src/utilities/x.ts',
      'export const x = 1',
      '"utilities" has no place',
    ],
    [
      'an import from the tests',
      'src/volume/x.ts',
      "import { x } from '../../bin/synd.js'",
      'outside src',
    ],
    [
      'an import without its ending',
      'src/volume/x.ts',
      "import { scan } from './scan'",
      'without .ts',
    ],
    [
      'an import that only the run can tell',
      'src/cli/x.ts',
      'void import(name)',
      'only the run can tell',
    ],
    ['process.env elsewhere', 'src/cli/x.ts', "const x = process.env['HOME']", 'reads process.env'],
    ['taken apart', 'src/volume/x.ts', 'const { env } = process\n', 'reads process.env'],
    ['by another name', 'src/volume/x.ts', "const x = process['env']", 'reads process.env'],
    ['handed on', 'src/volume/x.ts', 'run(process)', 'reads process.env'],
    ['imported', 'src/volume/x.ts', "import { env } from 'node:process'", 'reads process.env'],
    ['a barrel', 'src/volume/x.ts', "export { scan } from './scan.ts'", 're-exports'],
    ['of everything', 'src/volume/x.ts', "export * from './scan.ts'", 're-exports'],
    ['of types', 'src/volume/x.ts', "export type { S } from './scan.ts'", 're-exports'],
    ['a default export', 'src/volume/x.ts', 'export default 1', 'default export'],
    ['by renaming', 'src/volume/x.ts', 'const x = 1\nexport { x as default }', 'default export'],
    ['a name in camel case', 'src/volume/diskScan.ts', 'export const x = 1', 'kebab-case'],
    ['a name that says nothing', 'src/volume/utils.ts', 'export const x = 1', 'says nothing'],
    ['301 code lines', 'src/volume/x.ts', 'f()\n'.repeat(301), '301 code lines'],
    ['in a script too', 'scripts/x.ts', 'f()\n'.repeat(301), '301 code lines'],
  ])('%s', (_, path, source, violation) => {
    const planted = violationsOf(new Map([...Object.entries(innocent), [path, `${source}\n`]]))
    expect(planted).toEqual([expect.stringContaining(violation)])
    expect(planted[0]).toMatch(new RegExp(`^${path}: `))
  })
})

describe('what is no violation:', () => {
  test.each([
    ['a word in a comment', '// Math.random() and await\n/* process.env */\n'],
    [
      'a word in a string',
      `export const x = ["Date.now()", 'a "setTimeout"', \`console \${x} async\`]\n`,
    ],
    [
      'a word in a regular expression',
      'export const x = /await|process/.test(y) || y / await2 / 2\n',
    ],
    ['a date of a number', 'export const x = new Date(5)\n'],
    ['300 lines of code and as many of comments', '// x\nf()\n\n'.repeat(300)],
  ])('%s', (_, source) => {
    expect(violationsOf(new Map([['src/core/x.ts', source]]))).toEqual([])
  })
})

describe('reading a source', () => {
  test('tells code from text, whatever is nested', () => {
    const { code } = readSource('a(`x ${b({ c: `y ${\'d\'} z` })} w`, /[/\'"]/u, "e\\"f") // g\n')
    expect(code.replaceAll(/\s+/g, ' ').trim()).toBe('a(` {b({ c: ` {\' \'} ` })} `, / u, " ")')
  })

  test('counts lines of code, not of comments; lines of a template are code', () => {
    expect(countCodeLines(readSource('/** a\n * b\n */\nc()\n\nd(`\n// e\n`) // f\n'))).toBe(4)
  })

  test('finds imports of every form', () => {
    const source = [
      "import a from 'a'",
      "import type { b } from 'b'",
      "import * as c from 'c'",
      "import 'd'",
      "export { e } from 'e'",
      "const f = await import('f')",
      "// import g from 'g'",
      `const h = "import h from 'h'"`,
      "export const from = 'i'",
      "const w = new URL('./j.ts', import.meta.url)",
    ].join('\n')
    expect(readSource(source).imports.map(({ specifier }) => specifier)).toEqual([
      'a',
      'b',
      'c',
      'e',
      'd',
      'f',
      './j.ts',
    ])
  })
})
