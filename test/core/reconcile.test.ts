import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canHaveCopy } from '../../src/core/conflict.ts'
import { sameAnnounced, sameContent, sameEntry, type Entry } from '../../src/core/entry.ts'
import { hasMetAnother, reconcile, type Decision } from '../../src/core/reconcile.ts'
import { compareVectors, covers } from '../../src/core/version-vector.ts'
import { compareForWinner } from '../../src/core/winner.ts'
import { anyEntry } from './arbitraries.ts'
import { directory, dot, file, symlink, tombstone } from './build.ts'
import { check } from './property.ts'

const noCopy = () => false
const keep: Decision = { kind: 'keep' }
const wait: Decision = { kind: 'await' }

function become(
  entry: Entry,
  rest: { readonly loser?: Entry; readonly isVersionReuse?: boolean } = {},
): Decision {
  const { loser = null, isVersionReuse = false } = rest
  return { kind: 'become', entry, loser, isVersionReuse }
}

/** Which cell of the truth table a pair is in, found without reconcile. */
function cellOf(local: Entry, remote: Entry): string {
  const isUnversioned = local.version.size === 0 && remote.version.size > 0
  const relation = isUnversioned ? 'unversioned' : compareVectors(local.version, remote.version)
  const difference = !sameContent(local, remote)
    ? 'content'
    : sameAnnounced(local, remote)
      ? 'none'
      : 'metadata'
  return `${relation}/${difference}`
}

const old = file({ version: 'a1', by: 'a1' })
const edited = file({ version: 'a1 b1', by: 'b1', content: 2, mtimeUs: 5_000_000 })
const chmod = file({ version: 'a1 b1', by: 'a1', modeBy: 'b1', mode: 0o600 })
const same = file({ version: 'a1 c1', by: 'c1' })
const found = file({ version: '', by: 'f1', mtimeUs: 9_000_000 })

/** Name of the cell, what is here, what is told, what comes of it. */
const table: readonly (readonly [string, Entry, Entry, Decision])[] = [
  ['equal/none', old, old, keep],
  [
    'equal/metadata',
    { ...old, mode: 0o600 },
    { ...old, mtimeUs: 2_000_000 },
    become({ ...old, mtimeUs: 2_000_000 }),
  ],
  [
    'equal/content',
    old,
    { ...edited, version: old.version },
    become({ ...edited, version: old.version }, { loser: old, isVersionReuse: true }),
  ],
  [
    'behind/none',
    old,
    { ...old, version: edited.version },
    become({ ...old, version: edited.version }),
  ],
  ['behind/metadata', old, chmod, become(chmod)],
  ['behind/content', old, edited, become(edited)],
  ['ahead/none', { ...old, version: edited.version }, old, keep],
  ['ahead/metadata', chmod, old, keep],
  ['ahead/content', edited, old, keep],
  [
    'concurrent/none',
    { ...old, version: edited.version },
    { ...old, version: same.version },
    become(file({ version: 'a1 b1 c1', by: 'a1' })),
  ],
  [
    'concurrent/metadata',
    chmod,
    same,
    become(file({ version: 'a1 b1 c1', by: 'c1', modeBy: 'c1' })),
  ],
  [
    'concurrent/content',
    file({ version: 'a1 c1', by: 'c1', content: 3 }),
    edited,
    become(
      { ...edited, version: file({ version: 'a1 b1 c1', by: 'a1' }).version },
      { loser: file({ version: 'a1 c1', by: 'c1', content: 3 }) },
    ),
  ],
  ['unversioned/none', { ...old, version: found.version }, old, become(old)],
  ['unversioned/metadata', found, old, become(old)],
  ['unversioned/content', found, edited, become(edited, { loser: found })],
]

describe('the truth table', () => {
  test('has a case for every pair of relation and difference', () => {
    const relations = ['equal', 'behind', 'ahead', 'concurrent', 'unversioned']
    const cells = relations.flatMap((relation) =>
      ['none', 'metadata', 'content'].map((difference) => `${relation}/${difference}`),
    )
    expect(table.map(([cell]) => cell)).toEqual(cells)
    for (const [cell, local, remote] of table) expect(cellOf(local, remote)).toBe(cell)
  })

  test.each(table)('%s', (_, local, remote, decision) => {
    expect(reconcile(local, remote, noCopy)).toEqual(decision)
  })

  test('what is new here is taken, a delete too', () => {
    expect(reconcile(null, edited, noCopy)).toEqual(become(edited))
    const deleted = tombstone({ version: 'a1 b2', by: 'b2' })
    expect(reconcile(null, deleted, noCopy)).toEqual(become(deleted))
  })
})

describe('concurrent versions', () => {
  test('rule 3: who has seen the other write stands without a copy, also against a later mtime', () => {
    const over = file({ version: 'a1 c1', by: 'c1', modeBy: 'a1', content: 3, mtimeUs: 1 })
    const touched = file({ version: 'a1 b1', by: 'a1', modeBy: 'b1', mtimeUs: 9_000_000 })
    const stands = file({ version: 'a1 b1 c1', by: 'c1', modeBy: 'b1', content: 3, mtimeUs: 1 })
    expect(reconcile(over, touched, noCopy)).toEqual(become(stands))
    expect(reconcile(touched, over, noCopy)).toEqual(become(stands))
  })

  test('rule 3: a chmod does not keep what another deleted', () => {
    const deleted = tombstone({ version: 'a1 c1', by: 'c1' })
    expect(reconcile(chmod, deleted, noCopy)).toMatchObject({ entry: { kind: 'tombstone' } })
    expect(reconcile(deleted, chmod, noCopy)).toMatchObject({ entry: { kind: 'tombstone' } })
  })

  test('rule 5: an edit beats a delete, and only who deleted resolves', () => {
    const deleted = tombstone({ version: 'a1 c1', by: 'c1', mtimeUs: 9_000_000 })
    const stands = { ...edited, version: file({ version: 'a1 b1 c1', by: 'a1' }).version }
    expect(reconcile(deleted, edited, noCopy)).toEqual(become(stands))
    expect(reconcile(edited, deleted, noCopy)).toEqual(wait)
  })

  test('rule 4: the holder of the winner waits until it has the copy of the loser, then merges', () => {
    const loser = file({ version: 'a1 c1', by: 'c1', content: 3 })
    expect(reconcile(edited, loser, noCopy)).toEqual(wait)
    const asked: Entry[] = []
    const decision = reconcile(edited, loser, (entry) => asked.push(entry) > 0)
    expect(asked).toEqual([loser])
    expect(decision).toEqual(
      become({ ...edited, version: file({ version: 'a1 b1 c1', by: 'a1' }).version }),
    )
  })

  test('rule 11: a directory beats a file, which gets its copy', () => {
    const made = directory({ version: 'c1', by: 'c1', mtimeUs: 0 })
    expect(reconcile(edited, made, noCopy)).toMatchObject({
      kind: 'become',
      entry: { kind: 'directory' },
      loser: edited,
    })
    expect(reconcile(made, edited, noCopy)).toEqual(wait)
  })

  test('rule 3: the winner takes a mode that its writer had not seen', () => {
    const loser = file({ version: 'a1 c1', by: 'c1', content: 3, mode: 0o600 })
    const winner = file({ version: 'a1 b1', by: 'b1', modeBy: 'a1', content: 2, mtimeUs: 5e6 })
    expect(reconcile(loser, winner, noCopy)).toMatchObject({ entry: { mode: 0o600 }, loser })
  })
})

describe('rule 6: equal vectors', () => {
  test('with other content are a conflict that is counted', () => {
    const twin = { ...edited, version: old.version }
    expect(reconcile(old, twin, noCopy)).toEqual(become(twin, { loser: old, isVersionReuse: true }))
    expect(reconcile(twin, old, noCopy)).toEqual(wait)
    expect(reconcile(twin, old, () => true)).toEqual(keep)
  })

  test('with other dots are merged, so that all know the same', () => {
    const other = file({ version: 'a1 b1', by: 'b1' })
    const mine = file({ version: 'a1 b1', by: 'a1' })
    expect(reconcile(mine, other, noCopy)).toEqual(become(other))
    expect(reconcile(other, mine, noCopy)).toEqual(keep)
  })
})

describe('rule 9: joining', () => {
  const pseudo = { version: '', by: 'f1' }

  test('the versioned side wins whatever the mtime, and what was found gets a copy', () => {
    const mine = file({ ...pseudo, content: 7, mtimeUs: 9e12 })
    expect(reconcile(mine, old, noCopy)).toEqual(become(old, { loser: mine }))
    const link = symlink({ ...pseudo, content: 7 })
    expect(reconcile(link, old, noCopy)).toEqual(become(old, { loser: link }))
  })

  test('a directory that was found gives way without a copy', () => {
    expect(reconcile(directory(pseudo), old, noCopy)).toEqual(become(old))
  })

  test('what a tombstone names is deleted, what it does not name is stamped over it', () => {
    const deleted = tombstone({ version: 'a1 b1', by: 'b1', content: 7 })
    expect(reconcile(file({ ...pseudo, content: 7 }), deleted, noCopy)).toEqual(become(deleted))
    for (const mine of [
      file({ ...pseudo, content: 8 }),
      symlink({ ...pseudo, content: 7 }),
      directory(pseudo),
    ])
      expect(reconcile(mine, deleted, noCopy)).toEqual({ kind: 'stamp' })
    const emptied = { ...deleted, removedKind: 'directory', removedDigest: null } as const
    expect(reconcile(directory(pseudo), emptied, noCopy)).toEqual(become(emptied))
  })

  test('of two finds the usual winner stands, and nothing was reused', () => {
    const mine = file({ ...pseudo, content: 7 })
    const theirs = file({ version: '', by: 'e1', content: 8 })
    expect(reconcile(mine, theirs, noCopy)).toEqual(become(theirs, { loser: mine }))
    expect(reconcile(theirs, mine, noCopy)).toEqual(wait)
  })

  test('what a joining peer found is nothing to who has a version', () => {
    expect(reconcile(old, found, noCopy)).toEqual(keep)
    expect(reconcile(old, file({ ...pseudo, content: 7 }), noCopy)).toEqual(keep)
  })
})

describe('whoever asks', () => {
  test('both sides come to one entry, or one waits for the other to come to it', () => {
    check(
      fc.property(anyEntry, anyEntry, (a, b) => {
        const [atA, atB] = [reconcile(a, b, noCopy), reconcile(b, a, noCopy)]
        expect([atA.kind, atB.kind]).not.toEqual(['await', 'await'])
        if (atA.kind === 'await') expectToResolve(atB, { winner: a, loser: b })
        else if (atB.kind === 'await') expectToResolve(atA, { winner: b, loser: a })
        else expect(sameEntry(after(a, atA), after(b, atB))).toBe(true)
      }),
      { runs: 5000 },
    )
  })

  test('once it is applied, the same announcement is nothing new, and no one becomes what it was', () => {
    check(
      fc.property(anyEntry, anyEntry, fc.boolean(), (a, b, hasCopy) => {
        const decision = reconcile(a, b, () => hasCopy)
        if (decision.kind !== 'become') return
        expect(sameEntry(decision.entry, a)).toBe(false)
        expect(reconcile(decision.entry, b, () => true)).toEqual(keep)
      }),
      { runs: 5000 },
    )
  })

  test('no version is forgotten, and what is applied covers what was announced', () => {
    check(
      fc.property(anyEntry, anyEntry, fc.boolean(), (a, b, hasCopy) => {
        const decision = reconcile(a, b, () => hasCopy)
        const entry = after(a, decision)
        expect(covers(entry.version, a.version)).toBe(true)
        if (decision.kind !== 'await') expect(covers(entry.version, b.version)).toBe(true)
      }),
    )
  })

  test('rule 4: content that neither saw superseded leaves a peer only as a loser with a copy', () => {
    check(
      fc.property(anyEntry, anyEntry, (a, b) => {
        const decision = reconcile(a, b, noCopy)
        if (decision.kind !== 'become' || sameContent(a, decision.entry)) return
        if (covers(b.version, new Map([[a.contentDot.peer, a.contentDot.counter]]))) return
        expect(decision.loser).toEqual(canHaveCopy(a) ? a : null)
      }),
    )
  })
})

function after(local: Entry, decision: Decision): Entry {
  return decision.kind === 'become' ? decision.entry : local
}

function expectToResolve(
  decision: Decision,
  { winner, loser }: { readonly winner: Entry; readonly loser: Entry },
): void {
  expect(compareForWinner(winner, loser)).toBeGreaterThan(0)
  if (decision.kind !== 'become') throw new Error(`${decision.kind}: nobody resolves`)
  expect(sameContent(decision.entry, winner)).toBe(true)
  expect(decision.loser).toEqual(loser.kind === 'tombstone' ? null : loser)
}

describe('a third write that the side which stands has not seen', () => {
  const winner = file({ version: 'a1', by: 'a1' })
  const merged = file({ version: 'a1 c1', by: 'a1' })
  const gone = tombstone({ version: 'a2', by: 'a2' })

  test.each([
    ['here', merged, gone, true],
    ['told', gone, merged, true],
    ['none', winner, gone, false],
    ['both saw it', merged, tombstone({ version: 'a2 c1', by: 'a2' }), false],
    ['only a chmod', { ...merged, metadataDot: dot('c1') }, gone, false],
    ['the dots decide nothing', file({ version: 'b1 c1', by: 'b1', content: 2 }), gone, false],
    ['the same content', merged, file({ version: 'a1 b1', by: 'b1' }), false],
  ])('%s', (_, local, remote, expected) => {
    expect(hasMetAnother(local, remote)).toBe(expected)
  })
})
