import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  ancestorsOf,
  depthOf,
  isBelow,
  joinPath,
  nameOf,
  parentOf,
  parseRelativePath,
  pathRefusal,
  toText,
} from '../../src/core/relative-path.ts'
import { anyName, anyPath } from './arbitraries.ts'
import { check } from './property.ts'

const longName = 'n'.repeat(255)
/** 4,095 bytes: sixteen names of 255 bytes with a slash between each two. */
const longestPath = Array.from({ length: 16 }, () => longName).join('/')

describe('what is no relative path is refused', () => {
  test.each([
    ['empty', ''],
    ['the root', '/'],
    ['.', '.'],
    ['..', '..'],
    ['.. within', 'a/../b'],
    ['.. at the end', 'a/..'],
    ['.. at the start', '../a'],
    ['. within', 'a/./b'],
    ['./a', './a'],
    ['a/.', 'a/.'],
    ['absolute', '/a'],
    ['two slashes at the start', '//a'],
    ['two slashes', 'a//b'],
    ['slash at the end', 'a/'],
    ['NUL', 'a\0b'],
    ['NUL alone', '\0'],
    ['4,096 bytes', `${longestPath.slice(0, -1)}/n`],
    ['5,000 bytes', 'a/'.repeat(2499) + 'ab'],
    ['a component of 256 bytes', `a/${'n'.repeat(256)}/b`],
    ['10,000 components', Array.from({ length: 10_000 }, () => 'a').join('/')],
    ['a char over 255', 'a\u0100'],
    ['half a surrogate pair', 'a\ud800'],
  ])('%s', (_, text) => {
    expectRefused(text)
  })

  test.each(['.synd', '.synd/index.sqlite', 'a/.synd/b', 'a/.synd'])(
    'rule 14: what is Synd’s own, as %s',
    expectRefused,
  )

  test.each(['', '.', '..', '.synd', 'a/..', 'a\0', 'n'.repeat(256)])(
    'the name %j is refused below a directory',
    (name) => {
      expect(() => joinPath(parseRelativePath('d'), name)).toThrow(
        expect.objectContaining({ code: 'bad-path' }),
      )
    },
  )
})

describe('what is one is taken as it is', () => {
  test.each([
    ['a space', 'a b'],
    ['spaces around', ' a '],
    ['quotes', `'"`],
    ['newline', 'a\nb'],
    ['leading dash', '-rf'],
    ['command substitution', '$(id)`id`'],
    ['backslash', 'a\\b'],
    ['backup of an editor', 'foo~'],
    ['swap file', '.a.swp'],
    ['three dots', '...'],
    ['names that begin like the reserved one', '.synd2/.syndignore/.Synd'],
    ['255 bytes', longName],
    ['4,095 bytes', longestPath],
    ['invalid UTF-8', '\xff\xfe/\x80'],
    ['escape and bell', '\x1b[31m\x07'],
    ['2,048 components', Array.from({ length: 2048 }, () => 'a').join('/')],
  ])('%s', (_, text) => {
    expect(pathRefusal(text)).toBeNull()
    expect(parseRelativePath(text)).toBe(text)
  })

  test('nothing is normalised: composed and decomposed letters stay two paths', () => {
    expect(parseRelativePath('\xc3\xa9')).not.toBe(parseRelativePath('e\xcc\x81'))
  })
})

describe('parts', () => {
  test('a path is its parent and its name', () => {
    check(
      fc.property(anyPath, (path) => {
        expect(joinPath(parentOf(path), nameOf(path))).toBe(path)
      }),
    )
  })

  test('ancestors are the chain of parents, outermost first, and the path is below each', () => {
    check(
      fc.property(anyPath, (path) => {
        const ancestors = ancestorsOf(path)
        expect(depthOf(path)).toBe(ancestors.length)
        expect(parentOf(path)).toBe(ancestors.at(-1) ?? null)
        ancestors.forEach((ancestor, i) => {
          expect(depthOf(ancestor)).toBe(i)
          expect(isBelow(path, ancestor)).toBe(true)
        })
      }),
    )
  })

  test('a path is not below itself, its siblings, or what its name begins with', () => {
    check(
      fc.property(anyPath, anyName, (path, name) => {
        fc.pre(path.length + name.length < 4000)
        const child = joinPath(path, name)
        expect(isBelow(path, path)).toBe(false)
        expect(isBelow(path, child)).toBe(false)
        expect(isBelow(child, path)).toBe(true)
      }),
    )
    expect(isBelow(parseRelativePath('ab/c'), parseRelativePath('a'))).toBe(false)
  })
})

describe('text for people', () => {
  test.each([
    ['UTF-8 as it reads', 'd\xc3\xa9j\xc3\xa0/\xe2\x82\xac', 'd\u00e9j\u00e0/\u20ac'],
    ['U+FFFD where it is no UTF-8', 'a\xffb', 'a\ufffdb'],
    ['control characters', 'a\nb\x1b[31m\x7f\t', 'a\\x0ab\\x1b[31m\\x7f\\x09'],
    ['control characters of two bytes (CSI)', 'a\xc2\x9b31m', 'a\\x9b31m'],
    ['a byte order mark', '\xef\xbb\xbfa', '\ufeffa'],
    ['marks that turn the line around', 'a\xe2\x80\xaetxt.exe', 'a\\u202etxt.exe'],
    ['marks that isolate', 'a\xe2\x81\xa6b\xe2\x81\xa9', 'a\\u2066b\\u2069'],
    ['separators of lines', 'a\xe2\x80\xa8b\xe2\x80\xa9', 'a\\u2028b\\u2029'],
  ])('%s', (_, path, text) => {
    expect(toText(path)).toBe(text)
  })

  test('never holds a control character', () => {
    check(
      fc.property(anyPath, (path) => {
        expect(toText(path)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
      }),
    )
  })
})

function expectRefused(text: string): void {
  expect(pathRefusal(text)).toBeTypeOf('string')
  expect(() => parseRelativePath(text)).toThrow(expect.objectContaining({ code: 'bad-path' }))
}
