import * as fc from 'fast-check'
import type { Entry } from '../../src/core/entry.ts'
import { parseRelativePath, pathRefusal, type RelativePath } from '../../src/core/relative-path.ts'
import { vectorOf, type Dot, type VersionVector } from '../../src/core/version-vector.ts'
import { directory, file, peer, symlink, tombstone } from './build.ts'

/** Few peers and low counters, so that dots meet. */
export const anyDot: fc.Arbitrary<Dot> = fc
  .tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 4 }))
  .map(([letter, counter]) => ({ peer: peer(letter), counter }))

export const anyVector: fc.Arbitrary<VersionVector> = fc
  .array(anyDot, { maxLength: 4 })
  .map((dots) => vectorOf(...dots))

/** Entries of one path with few contents, modes and mtimes; the version covers the dots, as it does in any index. */
export const anyEntry: fc.Arbitrary<Entry> = fc
  .record({
    make: fc.constantFrom(file, symlink, directory, tombstone),
    content: fc.integer({ min: 1, max: 3 }),
    mode: fc.constantFrom(0o600, 0o644),
    mtimeUs: fc.constantFrom(0, 1_000_000, 2_000_000),
    seen: fc.array(anyDot, { maxLength: 3 }),
    contentDot: anyDot,
    metadataDot: anyDot,
  })
  .map(({ make, content, mode, mtimeUs, seen, contentDot, metadataDot }) => ({
    ...make({ version: '', by: 'a1', content, mode: make === symlink ? 0o777 : mode, mtimeUs }),
    version: vectorOf(...seen, contentDot, metadataDot),
    contentDot,
    metadataDot,
  }))

/** One char a byte; with names that need cutting, dots, and bytes that are no UTF-8. */
export const anyName: fc.Arbitrary<string> = fc
  .oneof(
    fc.array(fc.constantFrom('a', '.', '\xc3\xa9', '\xe2\x82\xac', '\xf0\x9f\x98\x80', '\xff'), {
      minLength: 1,
      maxLength: 255,
    }),
    fc.array(
      fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
      { minLength: 1, maxLength: 255 },
    ),
  )
  .map((parts) => parts.join('').slice(0, 255))
  .filter((name) => !name.includes('/') && pathRefusal(name) === null)

export const anyPath: fc.Arbitrary<RelativePath> = fc
  .array(anyName, { minLength: 1, maxLength: 4 })
  .map((names) => parseRelativePath(names.join('/')))
