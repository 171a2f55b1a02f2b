import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { errorCode } from '../../src/core/errors.ts'
import {
  cleanText,
  createScpParser,
  encodeFailure,
  encodeFile,
  encodeTimes,
  type ScpMessage,
} from '../../src/transfer/scp-message.ts'
import { encodeName } from '../../src/transfer/scp-name.ts'
import { nastyNames } from '../support/nasty-names.ts'
import { check } from '../core/property.ts'

/** What a parser makes of bytes that arrive in these pieces; data joined, so that the pieces do not show. */
function parse(pieces: readonly Buffer[]): unknown[] {
  const parser = createScpParser()
  const messages: unknown[] = []
  let data: Buffer[] = []
  const add = (message: ScpMessage): void => {
    if (message.kind === 'data') {
      data.push(message.chunk)
      return
    }
    if (data.length > 0) messages.push(Buffer.concat(data).toString('latin1'))
    data = []
    messages.push(message)
  }
  for (const piece of pieces) for (const message of parser.read(piece)) add(message)
  return messages
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].toSorted(
    (a, b) => a - b,
  )
  return [0, ...sorted].map((start, index) => bytes.subarray(start, sorted[index] ?? bytes.length))
}

const conversation = Buffer.from(
  [
    encodeTimes(1_700_000_000),
    encodeFile({ mode: 0o644, sizeBytes: 5, name: 'a b' }),
    'hello\0',
    encodeFailure('scp: x: No such file or directory'),
    encodeFile({ mode: 0o100755, sizeBytes: 0, name: 'empty' }),
    '\0',
    encodeFile({ mode: 0o600, sizeBytes: 3, name: 'changed' }),
    '\n\x01\n',
    encodeFailure('scp: changed: Input/output error'),
    '\x02scp: lost\n',
  ].join(''),
  'latin1',
)

test('reads the same from any pieces', () => {
  const whole = parse([conversation])
  expect(whole).toEqual([
    { kind: 'times' },
    { kind: 'file', mode: 0o644, sizeBytes: 5, name: 'a b' },
    'hello',
    { kind: 'end' },
    { kind: 'failed', isFatal: false, text: 'scp: x: No such file or directory' },
    { kind: 'file', mode: 0o755, sizeBytes: 0, name: 'empty' },
    { kind: 'end' },
    { kind: 'file', mode: 0o600, sizeBytes: 3, name: 'changed' },
    '\n\x01\n',
    { kind: 'failed', isFatal: false, text: 'scp: changed: Input/output error' },
    { kind: 'failed', isFatal: true, text: 'scp: lost' },
  ])
  check(
    fc.property(fc.array(fc.nat(conversation.length), { maxLength: 40 }), (places) => {
      expect(parse(cut(conversation, places))).toEqual(whole)
    }),
  )
})

describe('refuses', () => {
  const cases: [string, string][] = [
    ['a directory', 'D0755 0 dir\n'],
    ['the end of a directory', 'E\n'],
    ['a mode of five digits', 'C99999 1 a\n'],
    ['a negative mode', 'C-1 1 a\n'],
    ['a mode that is not octal', 'C0888 1 a\n'],
    ['a size over 2^53', 'C0644 9223372036854775808 a\n'],
    ['a negative size', 'C0644 -1 a\n'],
    ['a size with an exponent', 'C0644 1e9 a\n'],
    ['no name', 'C0644 1 \n'],
    ['no size', 'C0644 a\n'],
    ['times that are none', 'T1 2 3\n'],
    ['times with text', 'T1 0 1 0 x\n'],
    ['negative times', 'T-1 0 -1 0\n'],
    ['a greeting', 'Welcome to host\nC0644 1 a\n'],
    ['a data byte instead of the end', 'C0644 1 a\nxy'],
    ['an acknowledgement', '\0'],
    ['an endless name', `C0644 1 ${'a'.repeat(20_000)}`],
    ['an endless error', `\x01${'a'.repeat(20_000)}`],
    ['a name of 5,000 bytes as a path too long to be one', `C0644 1 ${'a/'.repeat(10_000)}\n`],
  ]
  test.each(cases)('%s', (_, text) => {
    const bytes = Buffer.from(text, 'latin1')
    for (const pieces of [[bytes], cut(bytes, [1, 2, 3, 100, 5000, 10_000])]) {
      let code: string | null = null
      try {
        parse(pieces)
      } catch (error) {
        code = errorCode(error)
      }
      expect(code).toBe('protocol')
    }
  })

  test('anything else without crashing', () => {
    check(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          parse([Buffer.from(bytes)])
        } catch (error) {
          expect(errorCode(error)).toBe('protocol')
        }
      }),
    )
  })
})

test('encodes only names with a newline, and then all of the name', () => {
  const plain = nastyNames.filter((name) => !name.includes('\n'))
  for (const name of plain) expect(encodeName(name)).toBe(name)
  expect(encodeName('new\nline')).toBe('new\\^Jline')
  expect(encodeName('a\\b\nc d\te')).toBe('a\\\\b\\^Jc d\te')
  expect(encodeName('\n\x7f\x80\x8a\xa0\xc3\xff')).toBe('\\^J\\^?\\M^@\\M^J\\240\\M-C\\M^?')
})

test('cleans texts of what would move a terminal or a reader', () => {
  expect(cleanText('\x1b[31mred\x07\r\n\x7f')).toBe('\\x1b[31mred\\x07\\x0d\\x0a\\x7f')
  expect(cleanText(Buffer.from('a\u202eb\u0085c').toString('latin1'))).toBe('a\\u202eb\\x85c')
  expect(cleanText('x'.repeat(10_000)).length).toBe(300)
})

test('a failure is one line whatever the file is called', () => {
  expect(encodeFailure('scp: a\nb: gone')).toBe('\x01scp: a b: gone\n')
})
