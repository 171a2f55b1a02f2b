import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseDigest } from '../../src/core/digest.ts'
import { SyndError } from '../../src/core/errors.ts'
import { parseRelativePath, pathRefusal } from '../../src/core/relative-path.ts'
import {
  maxCommandBytes,
  maxOperands,
  planCommands,
  quoteWord,
} from '../../src/transfer/command.ts'
import { encodeOperand, parseOperand, type Operand } from '../../src/transfer/operand.ts'
import { parseExecRequest } from '../../src/transfer/source/exec-request.ts'
import { splitWords } from '../../src/transfer/source/shell-words.ts'
import { nastyNames } from '../support/nasty-names.ts'
import { check } from '../core/property.ts'

const digest = parseDigest('0123456789abcdef'.repeat(4))
const operandOf = (path: string, sizeBytes = 7): Operand => ({
  path: parseRelativePath(path),
  sizeBytes,
  digest,
})
const latin1Path = fc
  .uint8Array({ minLength: 1, maxLength: 60 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'))
  .filter((text) => pathRefusal(text) === null)

test('an operand survives whatever is in the name, as plain ASCII', () => {
  expect(encodeOperand(operandOf('dir/a b%\xff\n'))).toBe(`dir/a%20b%25%FF%0A:7:${digest}`)
  check(
    fc.property(latin1Path, fc.maxSafeNat(), (path, sizeBytes) => {
      const text = encodeOperand(operandOf(path, sizeBytes))
      expect(text).toMatch(/^[A-Za-z0-9._/%:-]+$/)
      expect(parseOperand(text)).toEqual(operandOf(path, sizeBytes))
    }),
  )
})

test.each([
  ['a range, in words', `a:7:${digest}@0+5`, 'ranges are not offered'],
  ['a path alone', 'a', 'not path:size:digest'],
  ['lower-case escapes', `a%2f:7:${digest}`, 'not path:size:digest'],
  ['half an escape', `a%2:7:${digest}`, 'not path:size:digest'],
  ['a raw byte', `a b:7:${digest}`, 'not path:size:digest'],
  ['a negative size', `a:-7:${digest}`, 'not path:size:digest'],
  ['a size with zeros before', `a:07:${digest}`, 'not path:size:digest'],
  ['a size over 2^53', `a:9999999999999999:${digest}`, 'not path:size:digest'],
  ['a short digest', 'a:7:00', 'not path:size:digest'],
  ['an absolute path', `/a:7:${digest}`, 'absolute'],
  ['a way out', `a/../../b:7:${digest}`, '".."'],
  ['NUL', `a%00:7:${digest}`, 'NUL'],
  ["Synd's own directory", `a/.synd/b:7:${digest}`, '.synd'],
])('%s is refused', (_, text, words) => {
  expect(() => parseOperand(text)).toThrow(SyndError)
  expect(() => parseOperand(text)).toThrow(words)
})

test('a command asks for at most 256 files and is never longer than both kinds of sshd take', () => {
  const long = Array.from({ length: 700 }, (_, index) => operandOf(`${'%\xff'.repeat(40)}${index}`))
  const deep = `${"'".repeat(255)}/`.repeat(15)
  const longest = Array.from({ length: 20 }, (_, index) => operandOf(`${deep}${index}`))
  const sources = [
    { kind: 'embedded', port: 1 },
    { kind: 'openssh', host: 'h', port: 22, user: 'u', root: '/srv/volume/' },
  ] as const
  for (const source of sources) {
    for (const requests of [long, longest, nastyNames.map((name) => operandOf(name))]) {
      const commands = planCommands(source, requests)
      expect(commands.flatMap((command) => command.requests)).toEqual(requests)
      for (const { command, requests } of commands) {
        expect(Buffer.byteLength(command)).toBeLessThanOrEqual(maxCommandBytes)
        expect(requests.length).toBeLessThanOrEqual(maxOperands)
        expect(requests.length).toBeGreaterThan(0)
      }
    }
  }
})

test('what a Synd asks is what a Synd is asked', () => {
  const requests = nastyNames.map((name) => operandOf(`dir/${name}`))
  const [planned] = planCommands({ kind: 'embedded', port: 1 }, requests)
  const asked = parseExecRequest(String(planned?.command))
  expect(asked).toEqual({ kind: 'synd-scp', sendsTimes: true, operands: requests })
})

test('a quoted word comes out of a shell as it went in', () => {
  check(
    fc.property(fc.array(latin1Path, { minLength: 1, maxLength: 5 }), (words) => {
      expect(splitWords(words.map(quoteWord).join(' '))).toEqual(words)
    }),
  )
})

test('a stock sshd is asked for absolute paths, quoted, in bytes', () => {
  const source = {
    kind: 'openssh',
    host: 'h',
    port: 22,
    user: 'u',
    root: '/srv/caf\u00e9/',
  } as const
  const [planned] = planCommands(source, [operandOf("it's"), operandOf('\xff')])
  expect(planned?.command).toEqual(
    Buffer.from("scp -f -p -- '/srv/caf\xc3\xa9/it'\\''s' '/srv/caf\xc3\xa9/\xff'", 'latin1'),
  )
})

test('a peer without a source is not asked', () => {
  expect(() => planCommands({ kind: 'none' }, [operandOf('a')])).toThrow(SyndError)
})
