/**
 * Splits a command as a POSIX shell splits words (Shell Command Language, 2.2 and 2.3): blanks, single and double quotes, backslash. What a shell
 * would expand, glob, redirect or run is refused: a string says in words why, an array holds the words.
 */
export function splitWords(command: string): string[] | string {
  const words: string[] = []
  let word: string | null = null
  for (let at = 0; at < command.length; at++) {
    const char = command.charAt(at)
    if (char === '\0') return 'NUL in the command'
    if (char === ' ' || char === '\t') {
      if (word !== null) words.push(word)
      word = null
    } else if (char === '\\') {
      at++
      if (at === command.length) return 'a backslash at the end'
      // A newline behind a backslash joins lines.
      if (command[at] !== '\n') word = (word ?? '') + command.charAt(at)
    } else if (char === "'") {
      const end = command.indexOf("'", at + 1)
      if (end < 0) return 'a quote that does not end'
      word = (word ?? '') + command.slice(at + 1, end)
      at = end
    } else if (char === '"') {
      const quoted = readDoubleQuoted(command, at + 1)
      if (typeof quoted === 'string') return quoted
      word = (word ?? '') + quoted.text
      at = quoted.end
    } else {
      const refusal = refusalOf(char, word === null)
      if (refusal !== null) return refusal
      word = (word ?? '') + char
    }
  }
  if (word !== null) words.push(word)
  return words.some((text) => text.includes('\0')) ? 'NUL in the command' : words
}

function readDoubleQuoted(command: string, start: number): { text: string; end: number } | string {
  let text = ''
  for (let at = start; at < command.length; at++) {
    const char = command.charAt(at)
    const next = command.charAt(at + 1)
    if (char === '"') return { text, end: at }
    if (char === '$' || char === '`') return expansion(char)
    if (char === '\\' && next !== '' && '$`"\\\n'.includes(next)) {
      if (next !== '\n') text += next
      at++
    } else text += char
  }
  return 'a quote that does not end'
}

function refusalOf(char: string, isFirst: boolean): string | null {
  if (char === '\n' || char === '\r') return 'more than one line'
  if (';&|<>()'.includes(char)) return `"${char}" outside quotes: nothing but scp is run here`
  if ('*?[]{}'.includes(char)) return `"${char}" outside quotes: patterns are not expanded here`
  if (char === '$' || char === '`') return expansion(char)
  if (isFirst && (char === '~' || char === '#')) return expansion(char)
  return null
}

function expansion(char: string): string {
  return `"${char}" outside single quotes: nothing is expanded here`
}
