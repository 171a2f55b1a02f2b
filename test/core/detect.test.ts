import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  announcedVersion,
  detect,
  newVersion,
  stampedAnew,
  tombstoneOf,
  unversionedEntry,
  type Detected,
  type Finding,
} from '../../src/core/detect.ts'
import {
  isLive,
  sameContent,
  sameMetadata,
  type Entry,
  type LiveEntry,
} from '../../src/core/entry.ts'
import { coversDot, formatVector, withDot } from '../../src/core/version-vector.ts'
import { anyEntry } from './arbitraries.ts'
import { directory, dot, file, symlink, tombstone, vector } from './build.ts'
import { check } from './property.ts'

/** What a look finds where `entry` is on the disk, with some of it changed. */
function findingOf(
  entry: LiveEntry,
  changed: { readonly mode?: number; readonly mtimeUs?: number } = {},
): Finding {
  return {
    path: entry.path,
    digest: entry.kind === 'directory' ? null : entry.digest,
    target: entry.kind === 'symlink' ? entry.target : null,
    observation: {
      kind: entry.kind,
      mode: changed.mode ?? entry.mode,
      mtimeNs: BigInt(changed.mtimeUs ?? entry.mtimeUs) * 1000n + 999n,
      ctimeNs: 1n,
      sizeBytes: entry.kind === 'file' ? entry.sizeBytes : 0,
      inode: 1n,
      device: 1n,
    },
  }
}

const at = { version: 'a1 b1', by: 'a1', modeBy: 'b1' }
const [aFile, aLink, aDirectory] = [file(at), symlink({ ...at, mode: 0o777 }), directory(at)]
const edit = { version: 'c9', by: 'c9' }
const keepsModes = { keepsModes: true }
const newDot = dot('c9')

describe('rule 13: detect compares what was found with what is known', () => {
  test.each<[string, Entry | null, Finding, Detected, Detected]>([
    ['nothing known', null, findingOf(aFile), 'content', 'content'],
    ['as known', aFile, findingOf(aFile), 'nothing', 'nothing'],
    ['other bytes', aFile, findingOf(file({ ...at, content: 2 })), 'content', 'content'],
    ['other bits', aFile, findingOf(aFile, { mode: 0o600 }), 'metadata', 'nothing'],
    ['set-id bits only', aFile, findingOf(aFile, { mode: 0o6644 }), 'nothing', 'nothing'],
    ['another mtime', aFile, findingOf(aFile, { mtimeUs: 7 }), 'metadata', 'metadata'],
    [
      'mtime set back before 1970',
      aFile,
      findingOf(aFile, { mtimeUs: -7 }),
      'metadata',
      'metadata',
    ],
    ['a link where a file was', aFile, findingOf(aLink), 'content', 'content'],
    ['a directory where a file was', aFile, findingOf(aDirectory), 'content', 'content'],
    ['a file where a directory was', aDirectory, findingOf(aFile), 'content', 'content'],
    ['a link as known', aLink, findingOf(aLink), 'nothing', 'nothing'],
    ['another text', aLink, findingOf(symlink({ ...at, content: 2 })), 'content', 'content'],
    ['a link with another mtime', aLink, findingOf(aLink, { mtimeUs: 7 }), 'nothing', 'nothing'],
    ['a link with other bits', aLink, findingOf(aLink, { mode: 0o700 }), 'nothing', 'nothing'],
    ['a directory as known', aDirectory, findingOf(aDirectory), 'nothing', 'nothing'],
    ['its mtime', aDirectory, findingOf(aDirectory, { mtimeUs: 7 }), 'nothing', 'nothing'],
    ['its bits', aDirectory, findingOf(aDirectory, { mode: 0o700 }), 'metadata', 'nothing'],
    [
      'set-gid of fsGroup',
      aDirectory,
      findingOf(aDirectory, { mode: 0o2644 }),
      'nothing',
      'nothing',
    ],
    ['what was deleted is back', tombstone(at), findingOf(aFile), 'content', 'content'],
    ['as an empty directory', tombstone(at), findingOf(aDirectory), 'content', 'content'],
  ])('%s', (_, known, finding, detected, withoutModes) => {
    expect(detect(known, finding, keepsModes)).toBe(detected)
    expect(detect(known, finding, { keepsModes: false })).toBe(withoutModes)
  })
})

describe('rule 3: a new version', () => {
  test.each<[string, Entry | null, Finding, Partial<Entry>]>([
    [
      'of nothing: both dots are new',
      null,
      findingOf(aFile),
      { contentDot: newDot, metadataDot: newDot },
    ],
    [
      'of content keeps who set the mode',
      aFile,
      findingOf(file({ ...edit, content: 2 })),
      { contentDot: newDot, metadataDot: aFile.metadataDot },
    ],
    [
      'of content and mode is new in both',
      aFile,
      findingOf(file({ ...edit, content: 2, mode: 0o600 })),
      { contentDot: newDot, metadataDot: newDot, mode: 0o600 },
    ],
    [
      'of the mode keeps who wrote the content',
      aFile,
      findingOf(aFile, { mode: 0o600 }),
      { contentDot: aFile.contentDot, metadataDot: newDot, mode: 0o600 },
    ],
    [
      'of the mtime too',
      aFile,
      findingOf(aFile, { mtimeUs: 7 }),
      { contentDot: aFile.contentDot, metadataDot: newDot, mtimeUs: 7 },
    ],
    ['never has set-id bits', null, findingOf(aFile, { mode: 0o7755 }), { mode: 0o755 }],
    [
      'of another kind is new in both',
      aFile,
      findingOf(aLink),
      { contentDot: newDot, metadataDot: newDot, mode: 0o777 },
    ],
    [
      'of what was deleted is new in both',
      tombstone(at),
      findingOf(aFile),
      { contentDot: newDot, metadataDot: newDot },
    ],
    [
      'of the bits of a directory keeps who made it',
      aDirectory,
      findingOf(aDirectory, { mode: 0o700 }),
      { contentDot: aDirectory.contentDot, metadataDot: newDot, mode: 0o700 },
    ],
  ])('%s', (_, known, finding, expected) => {
    const entry = newVersion(known, finding, { dot: newDot, ...keepsModes })
    expect(entry).toMatchObject(expected)
    expect(entry.path).toBe(finding.path)
    expect(formatVector(entry.version)).toBe(
      formatVector(withDot(known?.version ?? new Map(), newDot)),
    )
  })

  test.each<[string, Entry | null, Finding, number]>([
    [
      'a known file keeps its mode',
      file({ ...at, mode: 0o640 }),
      findingOf(file({ ...at, content: 2, mode: 0o777 })),
      0o640,
    ],
    ['a new file has 0644', null, findingOf(aFile, { mode: 0o777 }), 0o644],
    ['a new directory has 0755', null, findingOf(aDirectory, { mode: 0o777 }), 0o755],
    ['a link has 0777', null, findingOf(aLink, { mode: 0o600 }), 0o777],
    [
      'a file where a directory was has 0644',
      directory({ ...at, mode: 0o700 }),
      findingOf(aFile),
      0o644,
    ],
    [
      'what was deleted comes back with 0644',
      tombstone({ ...at, mode: 0o600 }),
      findingOf(aFile),
      0o644,
    ],
  ])('rule 13: where no modes are kept %s', (_, known, finding, mode) => {
    expect(newVersion(known, finding, { dot: newDot, keepsModes: false }).mode).toBe(mode)
  })

  test('is what was found, covers what was known, and is then known', () => {
    check(
      fc.property(fc.option(anyEntry), anyEntry, fc.boolean(), (known, found, keeps) => {
        if (!isLive(found)) return
        const options = { keepsModes: keeps }
        const finding = findingOf(found)
        const entry = newVersion(known, finding, { dot: newDot, ...options })
        expect(sameContent(entry, found)).toBe(true)
        if (keeps) expect(sameMetadata(entry, found)).toBe(true)
        for (const d of [newDot, entry.contentDot, entry.metadataDot])
          expect(coversDot(entry.version, d)).toBe(true)
        expect(detect(entry, finding, options)).toBe('nothing')
        if (detect(known, finding, options) === 'metadata' && known !== null)
          expect(entry.contentDot).toEqual(known.contentDot)
      }),
    )
  })
})

describe('while joining', () => {
  test('rule 9: what is found has the empty vector and the dot of its content', () => {
    const entry = unversionedEntry(findingOf(aFile), { pseudoDot: dot('f1'), ...keepsModes })
    expect(entry).toEqual(file({ version: '', by: 'f1' }))
  })

  test('what stays is stamped over everything seen', () => {
    const entry = stampedAnew(file({ version: '', by: 'f1' }), vector('a3 b2'), dot('c9'))
    expect(entry).toEqual(file({ version: 'a3 b2 c9', by: 'c9' }))
  })
})

describe('rule 10: a scan that finds what a peer announced takes that version', () => {
  const found = newVersion(aFile, findingOf(file({ ...edit, content: 2 })), {
    dot: newDot,
    ...keepsModes,
  })
  const theirs = file({ version: 'a1 b1 d4', by: 'd4', content: 2 })

  test('when it is newer than what the index knows', () => {
    expect(announcedVersion(aFile, found, [aFile, theirs])).toBe(theirs)
    expect(announcedVersion(null, found, [theirs])).toBe(theirs)
  })

  test.each([
    ['of other content', { ...theirs, digest: aFile.digest }],
    ['of another mode', { ...theirs, mode: 0o600 }],
    ['of another mtime', { ...theirs, mtimeUs: 1 }],
    ['that is concurrent', { ...theirs, version: vector('a1 d4') }],
    ['that is known', { ...theirs, version: aFile.version }],
    ['that is older', { ...theirs, version: vector('a1') }],
    ['of a delete', tombstone({ version: 'a1 b1 d4', by: 'd4', content: 2 })],
  ])('not one %s', (_, announced) => {
    expect(announcedVersion(aFile, found, [announced])).toBeNull()
  })
})

describe('rule 3: a tombstone', () => {
  test.each([
    ['a file', file({ ...at, mode: 0o640 }), { removedKind: 'file', removedDigest: aFile.digest }],
    ['a link', aLink, { removedKind: 'symlink', removedDigest: aLink.digest }],
    ['a directory', aDirectory, { removedKind: 'directory', removedDigest: null }],
  ])('of %s keeps kind, digest and mode, its dot is the delete (rule 3)', (_, known, removed) => {
    const entry = tombstoneOf(known, { dot: newDot, deletedUs: 42 })
    expect(entry).toEqual({
      path: known.path,
      kind: 'tombstone',
      version: vector('a1 b1 c9'),
      contentDot: newDot,
      metadataDot: newDot,
      mode: known.mode,
      mtimeUs: 42,
      ...removed,
    })
  })
})
