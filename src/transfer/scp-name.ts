/**
 * How a file's name stands in a C record. `name` and the result are latin1, one char a byte.
 *
 * OpenSSH's scp.c writes the name as it is, unless it holds a newline: then `strnvis(…, VIS_NL)` (openbsd-compat/vis.c) encodes the
 * whole name, so that backslashes are doubled and other bytes that are not printable change too, in such names only.
 */
export function encodeName(name: string): string {
  return name.includes('\n') ? Array.from(name, encodeChar).join('') : name
}

function encodeChar(char: string): string {
  const code = char.charCodeAt(0)
  if (char === '\\') return '\\\\'
  if (char === ' ' || char === '\t' || (code > 0x20 && code < 0x7f)) return char
  const low = code & 0x7f
  if (low === 0x20) return `\\${code.toString(8).padStart(3, '0')}`
  const meta = code >= 0x80 ? 'M' : ''
  if (low === 0x7f) return `\\${meta}^?`
  return low < 0x20
    ? `\\${meta}^${String.fromCharCode(low + 0x40)}`
    : `\\${meta}-${String.fromCharCode(low)}`
}
