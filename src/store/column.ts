import type { SQLInputValue, SQLOutputValue } from 'node:sqlite'

import { SyndError } from '../core/errors.ts'

/** A row as SQLite gives it. What it holds is believed only after one of the functions here has looked at it. */
export type Row = Readonly<Record<string, SQLOutputValue>>

export function isNull(row: Row, column: string): boolean {
  return row[column] === null
}

/** A TEXT column; throws `store-damaged`, as all the functions here do, for anything else. */
export function textIn(row: Row, column: string): string {
  const value = row[column]
  return typeof value === 'string' ? value : refuse(column, value)
}

/** A BLOB column with one byte a char. */
export function latin1In(row: Row, column: string): string {
  return bytesIn(row, column).toString('latin1')
}

/** A BLOB column as hex digits. */
export function hexIn(row: Row, column: string): string {
  return bytesIn(row, column).toString('hex')
}

/** An INTEGER column that is a safe integer from `from` to `to`. */
export function integerIn(
  row: Row,
  column: string,
  { from = Number.MIN_SAFE_INTEGER, to = Number.MAX_SAFE_INTEGER } = {},
): number {
  const value = row[column]
  if (typeof value !== 'bigint' || value < from || value > to) return refuse(column, value)
  return Number(value)
}

export function flagIn(row: Row, column: string): boolean {
  return integerIn(row, column, { from: 0, to: 1 }) === 1
}

/** A column written by `bigIntegerValue`. */
export function bigIntegerIn(row: Row, column: string): bigint {
  const value = row[column]
  if (typeof value === 'bigint') return value
  return typeof value === 'string' && /^-?\d{1,40}$/.test(value)
    ? BigInt(value)
    : refuse(column, value)
}

/** For a column of type ANY: SQLite's integers have 64 bits, and a file's time may be past 2262, which has more in nanoseconds. */
export function bigIntegerValue(value: bigint): SQLInputValue {
  return BigInt.asIntN(64, value) === value ? value : value.toString()
}

export function latin1Value(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

export function hexValue(digits: string): Buffer {
  return Buffer.from(digits, 'hex')
}

function bytesIn(row: Row, column: string): Buffer {
  const value = row[column]
  if (!(value instanceof Uint8Array)) return refuse(column, value)
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

function refuse(column: string, value: unknown): never {
  throw new SyndError('store-damaged', `column ${column} holds ${describe(value)}`)
}

function describe(value: unknown): string {
  if (value === null) return 'nothing'
  return typeof value === 'bigint' ? String(value) : `a ${typeof value}`
}
