/** The length-prefixed strings of RFC 4251, section 5, one after the other. */
export function joinFields(fields: readonly Buffer[]): Buffer {
  const parts: Buffer[] = []
  for (const field of fields) {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(field.length)
    parts.push(length, field)
  }
  return Buffer.concat(parts)
}

/** Inverse of `joinFields`; null when a length runs past the end. */
export function splitFields(bytes: Buffer): Buffer[] | null {
  const fields: Buffer[] = []
  let at = 0
  while (at < bytes.length) {
    if (at + 4 > bytes.length) return null
    const end = at + 4 + bytes.readUInt32BE(at)
    if (end > bytes.length) return null
    fields.push(bytes.subarray(at + 4, end))
    at = end
  }
  return fields
}

/** A positive number as RFC 4251's mpint: no leading zeros but the one that keeps it positive. */
export function mpint(bytes: Buffer): Buffer {
  const trimmed = unsigned(bytes)
  return (trimmed[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), trimmed]) : trimmed
}

/** Without leading zeros. */
export function unsigned(bytes: Buffer): Buffer {
  let start = 0
  while (start < bytes.length && bytes[start] === 0) start++
  return bytes.subarray(start)
}
