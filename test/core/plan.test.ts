import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Entry } from '../../src/core/entry.ts'
import { orderForAnnouncement, orderForApply } from '../../src/core/plan.ts'
import { isBelow } from '../../src/core/relative-path.ts'
import { directory, file, tombstone } from './build.ts'
import { check } from './property.ts'

type Make = typeof file | typeof directory | typeof tombstone

/** `+d/` a directory, `+f` a file, `-x` a delete. */
function step(text: string): { entry: Entry; replacesDirectory: boolean } {
  const path = text.replace(/^[+-]/, '').replace(/[/!]$/, '')
  const make: Make = text.startsWith('-') ? tombstone : text.endsWith('/') ? directory : file
  return {
    entry: make({ path, version: 'a1', by: 'a1' }),
    replacesDirectory: text.endsWith('!'),
  }
}

function pathsOf(steps: readonly { readonly entry: Entry }[]): string {
  return steps.map(({ entry }) => entry.path).join(' ')
}

describe('rule 15: the order of putting entries on the disk', () => {
  test.each([
    ['parents before children', '+a/b/c +a/b/ +a/', 'a a/b a/b/c'],
    ['children go before parents', '-a -a/b -a/b/c', 'a/b/c a/b a'],
    ['what appears comes before what goes: a rename copies from here', '-old +new', 'new old'],
    ['a directory that is renamed', '-a -a/x +b/ +b/x', 'b b/x a/x a'],
    ['by bytes among equals', '+b +a +\xff +B', 'B a b \xff'],
    [
      'a file where a directory was comes after what was in it',
      '+a -a/x -a/y/z -a/y',
      'a/y/z a/y a/x a',
    ],
    ['a directory where a file was comes before what is in it', '+a/x +a/', 'a a/x'],
    ['what moves out of a directory that becomes a file', '+d -d/x +e/ +e/x', 'e e/x d/x d'],
  ])('%s', (_, steps, expected) => {
    expect(pathsOf(orderForApply(steps.split(' ').map(step)))).toBe(expected)
  })

  test('rule 11: whatever the batch, a directory comes before what is in it, and goes after', () => {
    check(
      fc.property(anySteps, (steps) => {
        const ordered = orderForApply(steps)
        expect(ordered.toSorted(byPath)).toEqual(steps.toSorted(byPath))
        ordered.forEach(({ entry }, i) => {
          for (const { entry: later } of ordered.slice(i + 1)) {
            if (entry.kind === 'tombstone') {
              // Nothing below what went comes later, and of what appears later only what takes a directory's place.
              expect(later.kind === 'tombstone' && isBelow(later.path, entry.path)).toBe(false)
              if (later.kind !== 'tombstone')
                expect(ordered.some((gone) => isGoneBelow(gone.entry, later))).toBe(true)
            } else if (later.kind === 'directory') {
              expect(isBelow(entry.path, later.path)).toBe(false)
            }
          }
        })
      }),
    )
  })
})

describe('rule 15: the order of announcing a round', () => {
  test.each([
    ['creations before removals: a rename is never a delete first', '-old +new', 'new old'],
    ['parents before children', '+a/b/c +a/b/ +a/', 'a a/b a/b/c'],
    ['children go before parents', '-a -a/b -a/b/c', 'a/b/c a/b a'],
    ['what took the place of a directory after what was in it', '+a! -a/x +b', 'b a/x a'],
  ])('%s', (_, steps, expected) => {
    expect(pathsOf(orderForAnnouncement(steps.split(' ').map(step)))).toBe(expected)
  })

  test('keeps every step once', () => {
    check(
      fc.property(anySteps, (steps) => {
        expect(orderForAnnouncement(steps).toSorted(byPath)).toEqual(steps.toSorted(byPath))
      }),
    )
  })
})

/** One step a path, as a batch has. */
const anySteps = fc
  .uniqueArray(
    fc.record({
      names: fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 }),
      make: fc.constantFrom<Make>(file, directory, tombstone),
      replacesDirectory: fc.boolean(),
    }),
    { maxLength: 12, selector: ({ names }) => names.join('/') },
  )
  .map((steps) =>
    steps.map(({ names, make, replacesDirectory }) => ({
      entry: make({ path: names.join('/'), version: 'a1', by: 'a1' }),
      replacesDirectory,
    })),
  )

function byPath(a: { readonly entry: Entry }, b: { readonly entry: Entry }): number {
  return a.entry.path < b.entry.path ? -1 : 1
}

function isGoneBelow(gone: Entry, entry: Entry): boolean {
  return gone.kind === 'tombstone' && isBelow(gone.path, entry.path)
}
