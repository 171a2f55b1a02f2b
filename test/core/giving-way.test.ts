import { describe, expect, test } from 'vitest'
import { giveWay, goOver, reconcile } from '../../src/core/reconcile.ts'
import { compareVectors, coversDot } from '../../src/core/version-vector.ts'
import { directory, dot, file, tombstone } from './build.ts'

const ours = file({ version: 'a1', by: 'a1', mtimeUs: 9_000_000 })
const theirs = file({ version: 'b1', by: 'b1', content: 2, mtimeUs: 5_000_000 })
const dead = tombstone({ version: 'b1', by: 'b1' })

describe('who gives way to a send-only neighbour (rule M4)', () => {
  test.each([
    ['a file', theirs],
    ['a delete', dead],
  ])('takes %s under a dot of its own, over both, and makes a copy', (_, remote) => {
    const decision = giveWay(ours, remote, dot('c9'))
    if (decision?.kind !== 'become') throw new Error('does not give way')
    expect(decision.loser).toBe(ours)
    expect(decision.entry).toMatchObject({ kind: remote.kind, contentDot: dot('c9') })
    for (const seen of [ours, remote])
      expect(compareVectors(seen.version, decision.entry.version)).toBe('behind')
  })

  test('is newer than whoever decided by the order of rule 5 meanwhile', () => {
    const byOrder = reconcile(theirs, ours, () => false)
    const byMode = giveWay(ours, theirs, dot('c9'))
    if (byOrder.kind !== 'become' || byMode?.kind !== 'become') throw new Error('no decision')
    expect(reconcile(byOrder.entry, byMode.entry, () => false)).toMatchObject({
      kind: 'become',
      entry: byMode.entry,
      loser: null,
    })
  })

  test('needs no copy of a delete', () => {
    expect(giveWay(dead, theirs, dot('c9'))).toMatchObject({ kind: 'become', loser: null })
  })

  test('does not give up a directory', () => {
    expect(giveWay(directory({ version: 'a1', by: 'a1' }), theirs, dot('c9'))).toBeNull()
  })
})

describe('who resolves nothing (rule M7)', () => {
  test('goes over to the winner as it was announced, without covering the loser', () => {
    const decision = reconcile(theirs, ours, () => false)
    expect(decision).toMatchObject({ kind: 'become', loser: theirs })
    const gone = goOver(decision, ours)
    if (gone.kind !== 'become') throw new Error('does not go over')
    expect(gone.entry).toBe(ours)
    expect(gone.loser).toBe(theirs)
    expect(coversDot(gone.entry.version, theirs.contentDot)).toBe(false)
  })

  test.each([
    ['waits as others do', reconcile(ours, theirs, () => false), theirs],
    ['takes what is newer as others do', reconcile(null, theirs, () => false), theirs],
  ])('%s', (_, decision, remote) => {
    expect(goOver(decision, remote)).toBe(decision)
  })
})
