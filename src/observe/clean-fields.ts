/** What of a log line's fields may be written: no secrets ever, and above `debug` no names of files in the volume. */
export interface Cleaning {
  readonly volume: string
  readonly showsPaths: boolean
}

type Fields = Record<string, unknown>

/** The fields as they may be written; errors become plain objects, long texts are cut. */
export function cleanFields(fields: Readonly<Fields>, cleaning: Cleaning): Fields {
  return cleanObject(fields, cleaning, 0)
}

const masked = '********'

/** pino writes these itself; a field of that name would stand in the line twice. */
const ownNames = new Set(['level', 'time', 'name', 'msg'])

/** Names of fields that hold paths. */
const pathNames = /^(?:path|paths|target|directory|file|files|entry|entries|from|to|copy|copies)$/i

const secretNames = /pass(?:word|phrase)|secret|private|token|credential|pem$/i

/** Error texts of the network may be as long as the other side likes. */
const longestText = 2000

function cleanObject(fields: Readonly<Fields>, cleaning: Cleaning, depth: number): Fields {
  const clean: Fields = {}
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || isHidden(name, value, cleaning)) continue
    const key = depth === 0 && ownNames.has(name) ? `${name}_` : name
    clean[key] = secretNames.test(name) ? masked : cleanValue(value, cleaning, depth)
  }
  return clean
}

/** Paths in the volume are relative, or absolute below it; those of settings and keys are neither. */
function isHidden(name: string, value: unknown, { showsPaths, volume }: Cleaning): boolean {
  if (showsPaths || !pathNames.test(name)) return false
  return typeof value !== 'string' || !value.startsWith('/') || `${value}/`.startsWith(`${volume}/`)
}

function cleanValue(value: unknown, cleaning: Cleaning, depth: number): unknown {
  if (typeof value === 'string') return cleanText(value, cleaning)
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Error) return cleanError(value, cleaning, depth)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= 4) return '…'
  if (Array.isArray(value))
    return value.slice(0, 100).map((item) => cleanValue(item, cleaning, depth + 1))
  if (value instanceof Date || value instanceof Uint8Array)
    return cleanText(String(value), cleaning)
  return cleanObject({ ...value }, cleaning, depth + 1)
}

function cleanError(error: Error, cleaning: Cleaning, depth: number): Fields {
  const fields: Fields = {
    type: error.name,
    ...('code' in error ? { code: error.code } : {}),
    message: cleanText(error.message, cleaning),
  }
  if (cleaning.showsPaths && error.stack !== undefined)
    fields['stack'] = cleanText(error.stack, cleaning)
  if (error.cause !== undefined && depth < 4)
    fields['cause'] = cleanValue(error.cause, cleaning, depth + 1)
  return fields
}

function cleanText(text: string, { volume, showsPaths }: Cleaning): string {
  if (text.includes('PRIVATE KEY')) return masked
  const short = text.length > longestText ? `${text.slice(0, longestText)}…` : text
  if (showsPaths || volume === '/') return short
  // Node's messages name files: "EACCES: permission denied, open '/data/secret.txt'".
  const [before = '', ...rest] = short.split(`${volume}/`)
  return before + rest.map((part) => `<volume>/…${part.replace(/^[^'"\n]*/, '')}`).join('')
}
