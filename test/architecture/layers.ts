import { posix } from 'node:path'
import { countCodeLines, readSource, type Import, type SourceText } from './source-text.ts'

/** Which module may import which (src/README.md, Layers): a lower rank, and of its own only itself. */
const ranks: Readonly<Record<string, number>> = {
  core: 1,
  engine: 2,
  volume: 2,
  store: 2,
  rpc: 2,
  transfer: 2,
  identity: 2,
  config: 2,
  observe: 2,
  cli: 3,
  'main.ts': 4,
}

/** Adapters may name the ports that they fit, as types. */
const ports = 'src/engine/ports.ts'

/** Modules whose every effect is a port: they run under a virtual clock. */
const isolated = ['core', 'engine']

/** What reaches for the machine without an import. `Date` with arguments is arithmetic. */
const effects: readonly (readonly [string, RegExp])[] = [
  ['the clock', /\bDate\s*\.\s*now\b|\bnew\s+Date\b(?!\s*\(\s*[^\s)])|\bperformance\b/],
  ['chance', /\bMath\s*\.\s*random\b|\bcrypto\b/],
  [
    'a timer',
    /\bset(?:Timeout|Interval|Immediate)\b|\bqueueMicrotask\b|\bAbortSignal\s*\.\s*timeout\b/,
  ],
  ['the process', /\bprocess\b|\bglobalThis\b|\bimport\s*\.\s*meta\b/],
  ['the console', /\bconsole\b/],
]

/** Core decides and returns. */
const asynchrony = /\basync\b|\bawait\b|\bPromise\b|\bBuffer\b/

const mostCodeLines = 300

/** Names that say nothing (src/README.md, How the code is written). */
const emptyNames = ['index', 'util', 'utils', 'helper', 'helpers', 'types', 'common', 'misc']

/** Files by their path from the root of the repository. Returns what breaks the rules, one line each. */
export function violationsOf(files: ReadonlyMap<string, string>): string[] {
  return [...files].flatMap(([path, source]) => {
    const text = readSource(source)
    const found = path.startsWith('src/') ? inSource(path, text, files) : []
    const isGenerated = path.includes('/generated/')
    if (!isGenerated) found.push(...inName(path), ...inSize(text))
    return found.map((violation) => `${path}: ${violation}`)
  })
}

function inSource(path: string, text: SourceText, files: ReadonlyMap<string, string>): string[] {
  const module = moduleOf(path)
  const found: string[] = []
  if (ranks[module] === undefined) found.push(`"${module}" has no place in the layers`)
  for (const imported of text.imports) {
    const violation = inImport(path, imported, files)
    if (violation !== null) found.push(`${violation} ("${imported.specifier}")`)
  }
  if (path.includes('/generated/')) return found
  if (text.imports.some(({ isReexport }) => isReexport)) found.push('re-exports from another file')
  if (/\bexport\s+default\b|\bas\s+default\b/.test(text.code)) found.push('has a default export')
  if (/\bimport\s*\(\s*[^\s'"`]/.test(text.code)) found.push('imports what only the run can tell')
  if (isolated.includes(module)) {
    for (const [what, pattern] of effects) {
      if (pattern.test(text.code))
        found.push(`reaches for ${what}: ${pattern.exec(text.code)?.[0]}`)
    }
  }
  if (module === 'core' && asynchrony.test(text.code))
    found.push(`is not pure: ${asynchrony.exec(text.code)?.[0]}`)
  if (module !== 'config' && readsEnvironment(text)) found.push('reads process.env')
  return found
}

function inImport(
  path: string,
  imported: Import,
  files: ReadonlyMap<string, string>,
): string | null {
  const { specifier, isType } = imported
  const module = moduleOf(path)
  if (!/^\.{1,2}\//.test(specifier))
    return isolated.includes(module) ? `${module} imports no package` : null
  const target = posix.join(posix.dirname(path), specifier)
  if (!files.has(target)) return 'imports a file that is not there, or without .ts'
  if (!target.startsWith('src/')) return 'imports from outside src'
  const targetModule = moduleOf(target)
  if (targetModule === module) return null
  if (isType && target === ports && ranks[module] === 2) return null
  if ((ranks[targetModule] ?? 0) < (ranks[module] ?? 0)) return null
  return `${module} imports ${targetModule}`
}

/** The folder below src, or the file in it. */
function moduleOf(path: string): string {
  return path.split('/')[1] ?? ''
}

function readsEnvironment({ code, imports }: SourceText): boolean {
  return (
    imports.some(({ specifier }) => /^(?:node:)?process$/.test(specifier)) ||
    /\bprocess\s*(?:\?\.|\.)\s*env\b/.test(code) ||
    /\bprocess\s*(?:\?\.)?\s*\[/.test(code) ||
    /=\s*process\s*(?![\s.?\w])|\bprocess\s*(?=[,)])/.test(code)
  )
}

function inName(path: string): string[] {
  const name = posix.basename(path).replace(/(?:\.test)?\.(?:ts|js)$/, '')
  if (!/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name)) return ['is not named in kebab-case']
  return emptyNames.includes(name) ? ['has a name that says nothing'] : []
}

function inSize(text: SourceText): string[] {
  const lines = countCodeLines(text)
  return lines > mostCodeLines ? [`has ${lines} code lines (at most ${mostCodeLines})`] : []
}
