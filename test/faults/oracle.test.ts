import { beforeEach, describe, expect, test } from 'vitest'
import { complaintsOf } from './oracle.ts'
import { Record } from './record.ts'
import type { Seen } from './snapshot.ts'

/** A file that is shown so, with its value; the inode is part of what must not change. */
function file(name: string, inode = 1): Seen {
  return { shown: `f 644 0 ${name}`, inode }
}

function snapshots(...trees: Readonly<{ [path: string]: Seen }>[]) {
  return new Map(
    trees.map((tree, index) => [`member ${index}`, new Map(Object.entries(tree))] as const),
  )
}

let record: Record
const before = snapshots({ p: file('old') }, { p: file('old', 7) })

beforeEach(() => {
  record = new Record()
  write('old', 'member 0')
  record.begin(new Map([['f old', 'p']]))
})

/** The member writes the value to `p`. */
function write(value: string, member: string): void {
  record.wrote(`f ${value}`, { path: 'p', member }, value)
  record.leave('p', { member, seen: file(value) })
}

describe('the oracle', () => {
  test('has nothing against what nobody touched and is as it was', () => {
    expect(complaintsOf(record, before, before)).toEqual([])
  })

  test('sees that trees differ', () => {
    const now = snapshots({ p: file('old') }, {})
    expect(complaintsOf(record, before, now).join()).toMatch(/p differs/)
  })

  test('sees another inode, mode or time where nobody was', () => {
    for (const changed of [file('old', 8), { shown: 'f 600 0 old', inode: 7 }]) {
      const now = snapshots({ p: file('old') }, { p: changed })
      expect(complaintsOf(record, before, now).join()).toMatch(/touched by nobody .* member 1/)
    }
  })

  test('sees a value that is nowhere, though nobody who saw it replaced it', () => {
    write('a', 'member 0')
    write('b', 'member 1')
    record.superseded('f old')
    const one = { p: file('b') }
    expect(complaintsOf(record, before, snapshots(one, one))).toEqual(['lost: a, last at p'])
    const both = { ...one, 'p.sync-conflict-20261123-120000-0123abcd': file('a') }
    expect(complaintsOf(record, before, snapshots(both, both))).toEqual([])
  })

  test('sees a file that nobody wrote: half of one, or two mixed', () => {
    write('a', 'member 0')
    write('b', 'member 1')
    record.superseded('f old')
    const now = { p: file('b'), 'p.sync-conflict-20261123-120000-0123abcd': file('half-of-a') }
    const said = complaintsOf(record, before, snapshots(now, now)).join()
    expect(said).toMatch(/what nobody wrote/)
  })

  test('sees that something is back which was gone', () => {
    record.superseded('f old')
    record.leave('p', { member: 'member 1', seen: null })
    record.begin(new Map())
    const said = complaintsOf(record, snapshots({}, {}), before)
    expect(said.join()).toMatch(/p holds what was gone: old/)
  })

  test('sees that what one alone deleted or wrote is not as he left it', () => {
    record.superseded('f old')
    record.leave('p', { member: 'member 1', seen: null })
    expect(complaintsOf(record, before, before).join()).toMatch(/not as member 1 alone left it/)
  })

  test('sees a conflict copy of what only one touched', () => {
    record.superseded('f old')
    write('a', 'member 0')
    write('b', 'member 0')
    const now = { p: file('b'), 'p.sync-conflict-20261123-120000-0123abcd': file('a') }
    const said = complaintsOf(record, before, snapshots(now, now))
    expect(said).toEqual([expect.stringMatching(/a conflict copy of what had no conflict/)])
  })
})
