import { Rejection } from './rejection.ts'

/** One field of an encoded message: `bytes` of a string, bytes or message, else `value`; null for fixed32 and fixed64. */
export interface Field {
  readonly number: number
  readonly bytes: Buffer | null
  readonly value: number | null
}

/*
 * Just enough of protobuf's encoding (protobuf.dev, Encoding) to take a message apart without building objects: a megabyte of two-byte
 * entries would be half a million of them. Groups, which no message of ours has, are refused.
 */
const varintType = 0
const fixed64Type = 1
const bytesType = 2
const fixed32Type = 5

/** The fields of one message in their order; throws a Rejection `malformed-message`. Varints over 2^53 come out inexact, never smaller. */
export function* fieldsOf(message: Buffer): Generator<Field> {
  let at = 0
  while (at < message.length) {
    const tag = readVarint(message, at)
    at = tag.next
    const number = Math.floor(tag.value / 8)
    const type = tag.value % 8
    if (number === 0) throw malformed()
    if (type === varintType) {
      const { value, next } = readVarint(message, at)
      at = next
      yield { number, value, bytes: null }
    } else if (type === bytesType) {
      const { value: length, next } = readVarint(message, at)
      at = next + length
      if (at > message.length) throw malformed()
      yield { number, value: null, bytes: message.subarray(next, at) }
    } else if (type === fixed32Type || type === fixed64Type) {
      at += type === fixed32Type ? 4 : 8
      if (at > message.length) throw malformed()
      yield { number, value: null, bytes: null }
    } else throw malformed()
  }
}

/** An encoded field with the bytes of a string or message. */
export function bytesField(number: number, bytes: Buffer): Buffer[] {
  return [varint(number * 8 + bytesType), varint(bytes.length), bytes]
}

/** An encoded field with a whole number from 0 to 2^53 - 1. */
export function varintField(number: number, value: number): Buffer[] {
  return [varint(number * 8 + varintType), varint(value)]
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest >= 128) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return Buffer.from(bytes)
}

function readVarint(message: Buffer, start: number): { value: number; next: number } {
  let value = 0
  let scale = 1
  for (let at = start; at < start + 10; at++) {
    const byte = message[at]
    if (byte === undefined) throw malformed()
    value += (byte % 128) * scale
    if (byte < 128) return { value, next: at + 1 }
    scale *= 128
  }
  throw malformed()
}

function malformed(): Rejection {
  return new Rejection('malformed-message', 'message is not well-formed protobuf')
}
