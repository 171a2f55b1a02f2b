import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseExecRequest } from '../../src/transfer/source/exec-request.ts'
import { splitWords } from '../../src/transfer/source/shell-words.ts'
import { check } from '../core/property.ts'

describe('understands what a stock scp -O asks', () => {
  test.each([
    ['scp -f /x', false, ['/x']],
    ['scp -v -f x', false, ['x']],
    ['scp -v -p -d -f -- -x', true, ['-x']],
    ['scp -q -p -f x y', true, ['x', 'y']],
    ['scp -pf x', true, ['x']],
    [`scp -f 'a b' "c d" e\\ f`, false, ['a b', 'c d', 'e f']],
    [`scp -f 'it'\\''s'`, false, ["it's"]],
    ['scp -f "a\\"b\\\\c\\d"', false, ['a"b\\c\\d']],
    ["scp -f 'a\nb'", false, ['a\nb']],
    ["scp -f '$(id)' '`id`' '*' '~root'", false, ['$(id)', '`id`', '*', '~root']],
    ['scp -f foo~ a#b a=b,c@d+e%f^g:h!', false, ['foo~', 'a#b', 'a=b,c@d+e%f^g:h!']],
    ['scp -f caf\u00e9', false, ['caf\u00c3\u00a9']],
    ["scp -f ''", false, ['']],
    ['  scp\t-f   x  ', false, ['x']],
  ])('%s', (command, sendsTimes, operands) => {
    expect(parseExecRequest(command)).toEqual({ kind: 'scp', sendsTimes, operands })
  })
})

describe('refuses in words', () => {
  test.each([
    ['scp -t /x', 'nothing is written'],
    ['scp -f -t /x', 'nothing is written'],
    ['scp -r -f /', 'directories'],
    ['scp -rf /', 'directories'],
    ['sh -c id', 'only `scp -f`'],
    ['/usr/bin/scp -f x', 'only `scp -f`'],
    ['', 'only `scp -f`'],
    ['scp', 'only reading'],
    ['scp x', 'only reading'],
    ['scp -- -f', 'only reading'],
    ['scp -f', 'no file'],
    ['scp -f --', 'no file'],
    ['scp -f x; id', '";"'],
    ['scp -f x;id', '";"'],
    ['scp -f `id`', '"`"'],
    ['scp -f $(id)', '"$"'],
    ['scp -f "$(id)"', '"$"'],
    ['scp -f "`id`"', '"`"'],
    ['scp -f $HOME', '"$"'],
    ['scp -f x && id', '"&"'],
    ['scp -f x | id', '"|"'],
    ['scp -f x > /tmp/y', '">"'],
    ['scp -f x < /etc/passwd', '"<"'],
    ['scp -f (x)', '"("'],
    ['scp -f x\nid', 'more than one line'],
    ['scp -f x\rid', 'more than one line'],
    ['scp -f x\0y', 'NUL'],
    ["scp -f 'x\0y'", 'NUL'],
    ["scp -f 'x", 'does not end'],
    ['scp -f "x', 'does not end'],
    ['scp -f x\\', 'backslash at the end'],
    ['scp -S/bin/sh -f x', 'options'],
    ['scp -o ProxyCommand=id -f x', 'options'],
    ['scp -f -oProxyCommand=id x', 'options'],
    ['scp -F /x -f y', 'options'],
    ['scp -f *', 'patterns'],
    ['scp -f a?', 'patterns'],
    ['scp -f [a]', 'patterns'],
    ['scp -f {a,b}', 'patterns'],
    ['scp -f ~root', '"~"'],
    ['scp -f #x', '"#"'],
    [`scp -f ${'x'.repeat(35_000)}`, 'over 30000 bytes'],
    [`scp -f ${'x '.repeat(257)}`, 'more than 256 files'],
    ['synd-scp -f x', 'path:size:digest'],
    ['synd-scp -t x', 'nothing is written'],
    [`synd-scp -f ../x:1:${'0'.repeat(64)}`, '".."'],
  ])('%s', (command, words) => {
    const request = parseExecRequest(command)
    expect(request.kind).toBe('refused')
    expect(request.kind === 'refused' ? request.message : '').toContain(words)
  })

  test('anything else without crashing', () => {
    check(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        expect(parseExecRequest(`scp -f ${text}`).kind).toMatch(/^(scp|refused)$/)
        expect(parseExecRequest(text).kind).toMatch(/^(scp|synd-scp|refused)$/)
      }),
    )
  })
})

test('joins lines that a backslash joins', () => {
  expect(splitWords('scp -f a\\\nb "c\\\nd"')).toEqual(['scp', '-f', 'ab', 'cd'])
})

test('nothing in the transfer can start a program', () => {
  const root = join(import.meta.dirname, '../../src/transfer')
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  const sources = files.filter((file) => file.endsWith('.ts'))
  expect(sources.length).toBeGreaterThan(15)
  for (const file of sources)
    expect(readFileSync(join(root, file), 'utf8')).not.toMatch(/child_process|process\.binding/)
})
