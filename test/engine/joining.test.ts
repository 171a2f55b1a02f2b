import { beforeEach, describe, expect, test } from 'vitest'
import type { Peer } from '../../src/engine/links/peers.ts'
import { Joining } from '../../src/engine/joining.ts'
import { directory, file, peer, tombstone } from '../core/build.ts'
import { fakeOutbound } from './fake-links.ts'
import { engineParts, path, put } from './parts.ts'

let parts: ReturnType<typeof engineParts>
let joining: Joining

beforeEach(() => {
  parts = engineParts()
  joining = new Joining(parts)
})

/** Peers that are configured; a letter that is connected answers as `state`. */
function peers(states: Readonly<Record<string, 'joined' | 'joining' | 'away'>>): void {
  parts.peers.setAddresses(Object.keys(states), [])
  for (const [letter, state] of Object.entries(states)) {
    if (state !== 'away') connect(letter, state === 'joining')
  }
}

function connect(letter: string, isJoining: boolean): void {
  const at = parts.peers.at(letter)
  if (at === null) throw new Error(`no peer ${letter}`)
  const link = fakeOutbound(letter, { joining: isJoining })
  Object.assign<Peer, Partial<Peer>>(at, {
    link,
    peerId: peer(letter),
    isJoining,
    hasAnswered: true,
  })
}

/** All that the peer has is recorded. */
function tellAll(letter: string): void {
  parts.peers.receipts(peer(letter)).recorded([], 0)
}

describe('rule 9: joining ends', () => {
  test('at once where nobody else is', () => {
    expect(joining.end()).toBe(true)
    expect(parts.self.isJoined).toBe(true)
    expect(joining.end()).toBe(false)
  })

  test('not while a name has no address yet', () => {
    parts.peers.setAddresses([], ['dns:peers:1'])
    expect(joining.end()).toBe(false)
  })

  test('when one who has joined has told all it has', async () => {
    peers({ b: 'joined', c: 'away' })
    expect(joining.end()).toBe(false)
    await parts.time.pass(3_600_000)
    expect(joining.end()).toBe(false)
    tellAll('b')
    expect(joining.end()).toBe(true)
  })

  test('not when one who is joining has told all it has', () => {
    peers({ b: 'joining', c: 'away' })
    tellAll('b')
    expect(joining.end()).toBe(false)
  })

  test('at once when everybody is there and new', () => {
    peers({ b: 'joining', c: 'joining' })
    expect(joining.end()).toBe(true)
  })

  test('not when everybody who is there is new, and a name has no address', () => {
    peers({ b: 'joining' })
    parts.peers.setAddresses(['b'], ['dns:peers:1'])
    expect(joining.end()).toBe(false)
  })

  test.each([
    ['nobody', { b: 'away' }],
    ['nobody who has joined', { b: 'away', c: 'joining' }],
  ] as const)('a minute after %s answered: it founds', async (_, states) => {
    peers(states)
    await parts.time.pass(59_999)
    expect(joining.end()).toBe(false)
    await parts.time.pass(1)
    expect(joining.end()).toBe(true)
  })

  test('not within a minute after one who has joined went', async () => {
    peers({ b: 'joined' })
    await parts.time.pass(3_600_000)
    joining.end()
    const b = parts.peers.at('b')
    if (b !== null) b.link = null
    await parts.time.pass(59_999)
    expect(joining.end()).toBe(false)
    await parts.time.pass(1)
    expect(joining.end()).toBe(true)
  })
})

describe('rule 9: what is left at the end', () => {
  const found = (name: string, content = 1) =>
    put(file({ path: name, version: '', by: 'e1', content }))

  test('is stamped with one dot of its content: the same on every founder', () => {
    const other = engineParts({ seed: 7 })
    const dots = [parts, other].map((founder) => {
      founder.ledger.commit([found('x'), put(directory({ path: 'd', version: '', by: 'e1' }))])
      expect(new Joining(founder).end()).toBe(true)
      return ['x', 'd'].map((name) => founder.store.get(path(name))?.entry)
    })
    expect(dots[0]).toEqual(dots[1])
    for (const entry of dots[0] ?? []) {
      expect(entry?.version.size).toBe(1)
      expect(entry?.version.get(entry.contentDot.peer)).toBe(1)
      expect(entry?.metadataDot).toEqual(entry?.contentDot)
    }
  })

  test('has another dot where the content is another, and a sequence of its own', () => {
    parts.ledger.commit([found('x'), found('y'), found('z', 2)])
    joining.end()
    const entries = parts.store.changesAfter(0, 10).map(({ entry }) => entry)
    expect(entries.map((entry) => entry.path)).toEqual(['x', 'y', 'z'])
    expect(new Set(entries.map((entry) => entry.contentDot.peer)).size).toBe(3)
  })

  test('does not include what others have announced something of: that is decided', () => {
    const theirs = file({ path: 'x', version: 'b1', by: 'b1' })
    parts.store.commit({ remote: [{ peer: peer('b'), sequence: 1, entry: theirs }] })
    parts.ledger.commit([found('x'), found('y')])
    joining.end()
    expect(parts.store.get(path('x'))?.entry.version.size).toBe(0)
    expect(parts.store.get(path('y'))?.entry.version.size).toBe(1)
  })

  test('leaves what has a version, and what is deleted, as it is', () => {
    const [known, dead] = [
      file({ path: 'x', version: 'a1', by: 'a1' }),
      tombstone({ path: 'y', version: 'a2', by: 'a2' }),
    ]
    parts.ledger.commit([put(known), put(dead)])
    joining.end()
    expect(parts.ledger.lastSequence).toBe(2)
  })

  test('all of a thousand and more', () => {
    const names = Array.from({ length: 2_500 }, (_, n) => `f${n}`)
    parts.ledger.commit(names.map((name) => found(name)))
    joining.end()
    expect(parts.ledger.lastSequence).toBe(2_500)
  })

  test('is stamped before joining is over: a crash in between stamps the rest later', () => {
    parts.ledger.commit([found('x')])
    const commit = parts.store.commit.bind(parts.store)
    parts.store.commit = (transaction) => {
      if (transaction.identity !== undefined) throw new Error('crash')
      commit(transaction)
    }
    expect(() => joining.end()).toThrow('crash')
    const next = engineParts({ store: parts.store.clone() })
    expect(next.self.isJoined).toBe(false)
    expect(next.store.get(path('x'))?.entry.version.size).toBe(1)
    expect(new Joining(next).end()).toBe(true)
  })
})
