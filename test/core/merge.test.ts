import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sameContent, sameEntry, type Entry } from '../../src/core/entry.ts'
import { mergeOver } from '../../src/core/merge.ts'
import { formatVector, mergeVectors } from '../../src/core/version-vector.ts'
import { anyEntry } from './arbitraries.ts'
import { directory, dot, file, symlink, tombstone } from './build.ts'
import { check } from './property.ts'

/** Two entries of one content. */
const anyTwins: fc.Arbitrary<readonly [Entry, Entry]> = fc
  .tuple(anyEntry, anyEntry)
  .map(([a, b]): [Entry, Entry] => {
    const { version, contentDot, metadataDot, mode, mtimeUs } = b
    return sameContent(a, b)
      ? [a, b]
      : [a, { ...a, version, contentDot, metadataDot, mode, mtimeUs }]
  })

describe('merging two entries of one path', () => {
  test('of one content gives the same whoever merges', () => {
    check(
      fc.property(anyTwins, ([a, b]) => {
        expect(sameEntry(mergeOver(a, b), mergeOver(b, a))).toBe(true)
      }),
      { runs: 5000 },
    )
  })

  test('covers both and keeps the content of the first', () => {
    check(
      fc.property(anyEntry, anyEntry, (a, b) => {
        const merged = mergeOver(a, b)
        expect(formatVector(merged.version)).toBe(formatVector(mergeVectors(a.version, b.version)))
        expect(sameContent(merged, a)).toBe(true)
        expect(merged.path).toBe(a.path)
      }),
    )
  })

  test('with itself or with what it is merged of changes nothing', () => {
    check(
      fc.property(anyTwins, ([a, b]) => {
        const merged = mergeOver(a, b)
        expect(sameEntry(mergeOver(a, a), a)).toBe(true)
        expect(sameEntry(mergeOver(merged, merged), merged)).toBe(true)
      }),
    )
  })

  test('invents nothing: mode, mtime and dots are of one of the two', () => {
    check(
      fc.property(anyEntry, anyEntry, (a, b) => {
        const merged = mergeOver(a, b)
        expect([a.mode, b.mode]).toContain(merged.mode)
        expect([a.mtimeUs, b.mtimeUs]).toContain(merged.mtimeUs)
        expect([a.contentDot, b.contentDot]).toContainEqual(merged.contentDot)
        expect([a.metadataDot, b.metadataDot]).toContainEqual(merged.metadataDot)
      }),
    )
  })
})

describe('rule 5: of one content', () => {
  test('the mode that the other side has not seen stands, though it is the lesser', () => {
    const before = file({ version: 'a1 c1', by: 'a1', mode: 0o644 })
    const chmod = file({ version: 'a1 b2', by: 'a1', modeBy: 'b2', mode: 0o600, mtimeUs: 5 })
    const merged = file({ version: 'a1 b2 c1', by: 'a1', modeBy: 'b2', mode: 0o600, mtimeUs: 5 })
    expect(mergeOver(before, chmod)).toEqual(merged)
    expect(mergeOver(chmod, before)).toEqual(merged)
  })

  test('where neither saw the mode of the other, the greater mode, mtime and dot are kept', () => {
    const one = file({ version: 'a1 b2', by: 'a1', modeBy: 'b2', mode: 0o600, mtimeUs: 9 })
    const two = file({ version: 'a1 c3', by: 'a1', modeBy: 'c3', mode: 0o644, mtimeUs: 5 })
    const merged = file({
      version: 'a1 b2 c3',
      by: 'a1',
      modeBy: 'c3',
      mode: 0o644,
      mtimeUs: 9,
    })
    expect(mergeOver(one, two)).toEqual(merged)
    expect(mergeOver(two, one)).toEqual(merged)
  })

  test('the write that the other side has not seen stands, though its dot is the lesser', () => {
    const restored = file({ version: 'a2 b1', by: 'b1' })
    const older = file({ version: 'a2 c1', by: 'a2' })
    for (const merged of [mergeOver(restored, older), mergeOver(older, restored)])
      expect(merged.contentDot).toEqual(dot('b1'))
  })

  test('written twice without knowing of each other, the greater dot is kept', () => {
    const merged = mergeOver(file({ version: 'a1', by: 'a1' }), file({ version: 'b2', by: 'b2' }))
    expect(merged.contentDot).toEqual(dot('b2'))
  })

  test('of two deletes the later tells what was removed', () => {
    const one = tombstone({ version: 'a1', by: 'a1', content: 1, mode: 0o755 })
    const two = tombstone({ version: 'b2', by: 'b2', content: 2, mode: 0o600 })
    const merged = tombstone({ version: 'a1 b2', by: 'b2', content: 2, mode: 0o600 })
    expect(mergeOver(one, two)).toEqual(merged)
    expect(mergeOver(two, one)).toEqual(merged)
  })

  test('the modes of directories merge like those of files', () => {
    const one = directory({ version: 'a1 b2', by: 'a1', modeBy: 'b2', mode: 0o700 })
    const two = directory({ version: 'a1 c1', by: 'a1', mode: 0o755 })
    expect(mergeOver(two, one).mode).toBe(0o700)
  })
})

describe('rule 3: of two contents', () => {
  test('a mode set meanwhile on the content that was replaced still counts, its mtime does not', () => {
    const edit = file({ version: 'a1 b2', by: 'b2', modeBy: 'a1', content: 2, mtimeUs: 7 })
    const chmod = file({ version: 'a1 c1', by: 'a1', modeBy: 'c1', mode: 0o600, mtimeUs: 9 })
    expect(mergeOver(edit, chmod)).toEqual(
      file({
        version: 'a1 b2 c1',
        by: 'b2',
        modeBy: 'c1',
        content: 2,
        mode: 0o600,
        mtimeUs: 7,
      }),
    )
  })

  test('the mode of another kind does not', () => {
    const link = symlink({ version: 'a1 b2', by: 'b2', content: 2, mode: 0o777 })
    const chmod = file({ version: 'a1 c1', by: 'a1', modeBy: 'c1', mode: 0o600 })
    expect(mergeOver(link, chmod).mode).toBe(0o777)
    expect(mergeOver(link, chmod).metadataDot).toEqual(dot('b2'))
  })
})
