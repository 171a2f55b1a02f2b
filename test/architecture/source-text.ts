/** One import, re-export or worker of a source file. */
export interface Import {
  readonly specifier: string
  /** Erased: `import type`. */
  readonly isType: boolean
  /** `export … from`. */
  readonly isReexport: boolean
}

/** A TypeScript source with the parts told apart that a search for words must not mix up. Every text is as long as the source. */
export interface SourceText {
  /** Comments, and what is in strings, templates and regular expressions, blanked. */
  readonly code: string
  /** Only comments blanked. */
  readonly uncommented: string
  readonly imports: readonly Import[]
}

export function readSource(source: string): SourceText {
  const { code, uncommented } = blank(source)
  return { code, uncommented, imports: [...importsOf(source, code)] }
}

/** Lines that are more than a comment. */
export function countCodeLines({ uncommented }: SourceText): number {
  return uncommented.split('\n').filter((line) => line.trim() !== '').length
}

const importPatterns: readonly RegExp[] = [
  /\b(?<verb>import|export)\b(?<clause>[^;'"`()=]*?)\bfrom\s*['"]/g,
  /\bimport\s*['"]/g,
  /\bimport\s*\(\s*['"`]/g,
  /\brequire\s*\(\s*['"`]/g,
  /\bnew\s+URL\(\s*['"`](?=[^'"`]*['"`]\s*,\s*import\.meta\b)/g,
]

function* importsOf(source: string, code: string): Generator<Import> {
  for (const pattern of importPatterns) {
    for (const match of code.matchAll(pattern)) {
      const start = match.index + match[0].length
      const end = code.slice(start).search(/['"`]/)
      yield {
        specifier: source.slice(start, start + end),
        isType: /^\s*type\b/.test(match.groups?.['clause'] ?? ''),
        isReexport: match.groups?.['verb'] === 'export',
      }
    }
  }
}

type Part = 'code' | 'comment' | 'text'

function blank(source: string): { code: string; uncommented: string } {
  let code = ''
  let uncommented = ''
  for (const [part, text] of partsOf(source)) {
    const spaces = text.replaceAll(/[^\n]/g, ' ')
    code += part === 'code' ? text : spaces
    uncommented += part === 'comment' ? spaces : text
  }
  return { code, uncommented }
}

/** What a string, template, comment or regular expression begins with, at this place of the source. */
const opening = /\/\/.*|\/\*[\s\S]*?\*\/|(['"])(?:\\[\s\S]|(?!\1).)*\1|`|[{}]|\//y
const regularExpression = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y

function* partsOf(source: string): Generator<[Part, string]> {
  /** For each `${` that is open, how many braces are open in it. */
  const braces: number[] = []
  let at = 0
  let before = ''
  const text = (token: string): [Part, string][] => [
    ['code', token.slice(0, 1)],
    ['text', token.slice(1, -1)],
    ['code', token.slice(-1)],
  ]
  while (at < source.length) {
    const token = tokenAt(source, at, before)
    const depth = braces.at(-1)
    if (token === '`' || (token === '}' && depth === 0)) {
      if (token === '}') braces.pop()
      const piece = templatePiece(source, at)
      yield* text(piece)
      if (piece.endsWith('{')) braces.push(0)
      at += piece.length
      before = piece.slice(-1)
      continue
    }
    if (depth !== undefined && token === '{') braces[braces.length - 1] = depth + 1
    if (depth !== undefined && token === '}') braces[braces.length - 1] = depth - 1
    if (token.startsWith('//') || token.startsWith('/*')) yield ['comment', token]
    else if (token.length > 1 && /^['"/]/.test(token)) yield* text(token)
    else yield ['code', token]
    if (token.trim() !== '' && !token.startsWith('//') && !token.startsWith('/*'))
      before = /^['"/]/.test(token) ? token : `${before}${token}`.slice(-20)
    else if (token.trim() === '') before = before.replace(/\w+$/, '$& ')
    at += token.length
  }
}

function tokenAt(source: string, at: number, before: string): string {
  opening.lastIndex = at
  const token = opening.exec(source)?.[0] ?? source.charAt(at)
  if (token !== '/' || !canBeginExpression(before)) return token
  regularExpression.lastIndex = at
  return regularExpression.exec(source)?.[0] ?? token
}

/** A slash divides after a value, and begins a regular expression elsewhere. */
function canBeginExpression(before: string): boolean {
  const end = before.trimEnd()
  if (/\b(?:return|typeof|case|of|in|yield|await)$/.test(end)) return true
  return !/[\w$)\]}'"`/]$/.test(end)
}

/** From a backquote or the brace that ends `${…}` to the next `${` or backquote. */
function templatePiece(source: string, at: number): string {
  for (let end = at + 1; end < source.length; end++) {
    if (source[end] === '\\') end++
    else if (source[end] === '`') return source.slice(at, end + 1)
    else if (source.startsWith('${', end)) return source.slice(at, end + 2)
  }
  return source.slice(at)
}
