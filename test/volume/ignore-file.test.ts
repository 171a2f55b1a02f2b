import { chmodSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ignoreFilePath, isIgnoredBy } from '../../src/core/ignore.ts'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import { parseIgnoreRules } from '../../src/volume/ignore-file.ts'
import { asNobody, giveToNobody } from '../support/as-nobody.ts'
import { realVolume } from '../support/real-volume.ts'
import { Random } from '../support/random.ts'

/** Rule 14: the patterns of gitignore(5), on names of any bytes. */

describe('rule 14: a path', () => {
  test.each([
    ['*.log', 'd/x.log', true],
    ['*.log\n!keep.log', 'keep.log', false],
    ['/x', 'x', true],
    ['/x', 'd/x', false],
    ['d/*', 'd/e/x', true],
    ['**/x', 'a/b/x', true],
    ['a/**/x', 'a/x', true],
    ['# x', 'x', false],
    ['\\#x', '#x', true],
    ['x ', 'x', true],
    ['x\\ ', 'x ', true],
    ['X', 'x', false],
    ['[a-c]x', 'bx', true],
    ['\xc3\xa0', '\xc3\xa0', true],
    ['\xff?', '\xff\xfe', true],
    ['\xef\xbb\xbfx', 'x', true],
    ['x\r\ny', 'x', true],
    ['d/*', 'd/two\nlines', true],
    ['d/**', 'd/\nx', true],
    ['a\\\\b', 'a\\b', true],
    ['d', 'd/e/x', true],
    ['d\n!d/x', 'd/x', true],
  ])('rule 14: %j: %j is ignored: %s', (text, name, isIgnored) => {
    expect(parseIgnoreRules(text).matches(parseRelativePath(name), false)).toBe(isIgnored)
  })

  test('rule 14: a pattern with a slash at its end is of directories, and of what is in them', () => {
    const rules = parseIgnoreRules('d/')
    const at = parseRelativePath('d')
    expect(rules.matches(at, true)).toBe(true)
    expect(rules.matches(at, false)).toBe(false)
    expect(rules.matches(parseRelativePath('d/x'), false)).toBe(true)
  })

  test.each(['*', '.syndignore', '/.syndignore', '.synd*', '**'])(
    'rule 14: %s leaves .syndignore in the root alone',
    (text) => {
      expect(isIgnoredBy(parseIgnoreRules(text), ignoreFilePath, false)).toBe(false)
      const below = parseRelativePath('d/.syndignore')
      expect(isIgnoredBy(parseIgnoreRules(text), below, false)).toBe(text !== '/.syndignore')
    },
  )

  test.each([
    ['a line that is longer than any path', 'x'.repeat(100_000)],
    ['wildcards that would be tried for ever', `${'*a'.repeat(30)}*b`],
  ])('rule 14: %s says nothing, and the other lines count', (_, line) => {
    const rules = parseIgnoreRules(`${line}\ny`)
    expect(rules.matches(parseRelativePath('a'.repeat(200)), false)).toBe(false)
    expect(rules.matches(parseRelativePath('y'), false)).toBe(true)
  })

  test('rule 14: no text of a .syndignore is a reason to fail', () => {
    const seed = Date.now() % 1_000_000
    console.log(`seed ${seed}`)
    const random = new Random(seed)
    const signs = '*?[]!\\/ab-^. #:(){}$|+,\x00\t\r\n\xa0\xff'.split('')
    const names = ['a', 'a/b', '..a', '...', 'a b', 'a\\b', 'a\nb', '\xff\xa0', '~'].map(
      parseRelativePath,
    )
    for (let n = 0; n < 5_000; n++) {
      const text = Array.from({ length: 1 + random.below(10) }, () => random.pick(signs)).join('')
      const rules = parseIgnoreRules(text)
      for (const name of names)
        expect(typeof rules.matches(name, random.isLikely(0.5))).toBe('boolean')
    }
  })
})

describe('rule 14: the file', () => {
  test('rule 14: is read as it is; nothing, a link or a directory says nothing', async () => {
    await using under = realVolume()
    const volume = await under.open()
    const text = async (): Promise<string> => {
      const rules = await volume.readIgnoreRules()
      return typeof rules === 'string' ? rules : rules.text
    }
    expect(await text()).toBe('')
    under.hands.write('rules', '*\n')
    under.hands.symlink('rules', '.syndignore')
    expect(await text()).toBe('')
    under.hands.remove('.syndignore')
    under.hands.mkdir('.syndignore')
    expect(await text()).toBe('')
    under.hands.remove('.syndignore')
    under.hands.write('.syndignore', '\xff*\n')
    expect(await text()).toBe('\xff*\n')
    under.hands.write('.syndignore', '#'.repeat(256 * 1024))
    expect(await text()).toHaveLength(256 * 1024)
    under.hands.append('.syndignore', '#')
    expect(await text()).toBe('.syndignore has more than 256 KiB: shorten it')
  })

  test('rule 14: says why, where it may not be read', async () => {
    await using under = realVolume()
    giveToNobody(under.path)
    chmodSync(under.path, 0o755)
    await asNobody(async () => {
      const volume = await under.open()
      under.hands.write('.syndignore', '*\n')
      under.hands.chmod('.syndignore', 0)
      expect(await volume.readIgnoreRules()).toBe('.syndignore cannot be read (EACCES)')
    })
  })
})
