import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Entry } from '../../src/core/entry.ts'
import { directory, tombstone } from '../core/build.ts'
import { LoneEngine } from './lone-engine.ts'
import { toldFile, type PlayedPeer } from './played-peer.ts'

/** An engine that sends and receives, with a send-only neighbour s and another, b; rule M4. What b has wins by rule 5: it is younger. */

let synd: LoneEngine
let s: PlayedPeer
let b: PlayedPeer

beforeEach(async () => {
  synd = await LoneEngine.start({ peers: ['b', 'e'] })
  b = synd.peer('b')
  s = synd.peer('e', { mode: 'send-only' })
  b.connect()
  await synd.pass(1_000)
})

afterEach(async () => {
  await synd.stop()
})

function at(mtimeUs: number, told: readonly [Entry, string]): [Entry, string] {
  return [{ ...told[0], mtimeUs }, told[1]]
}

function tree(): string[] {
  return synd.tree.map((line) => line.replace(/\.sync-conflict-[-0-9a-f]+/, '.COPY')).toSorted()
}

function announced(): Entry[] {
  return s.heard.flatMap(({ entries }) => entries).map(({ entry }) => entry)
}

test('a version that a send-only neighbour announces wins, the other becomes a copy, and nobody is covered by less', async () => {
  b.announce(at(9_000_000, toldFile('x', 'younger', 'b1')))
  await synd.pass(5_000)
  s.connect()
  s.announce(at(5_000_000, toldFile('x', 'sent', 'e1')))
  await synd.pass(5_000)
  expect(tree()).toEqual(['x.COPY: f 644 younger', 'x: f 644 sent'])
  const x = announced().findLast((one) => one.path === 'x')
  expect(x?.version.size).toBe(3)
  expect(x?.contentDot.peer).toBe(synd.host.store.identity().peerId)
  expect(s.appliedUpTo).toBe(1)
})

test('its delete wins over an edit too, which stays as a copy', async () => {
  b.announce(at(9_000_000, toldFile('x', 'edited', 'b1')))
  await synd.pass(5_000)
  s.connect()
  s.announce(tombstone({ path: 'x', version: 'e1', by: 'e1' }))
  await synd.pass(5_000)
  expect(tree()).toEqual(['x.COPY: f 644 edited'])
})

test('a directory stays what it is', async () => {
  b.announce(directory({ path: 'x', version: 'b1', by: 'b1', mode: 0o755 }))
  b.announce(toldFile('x/y', 'y', 'b2'))
  await synd.pass(5_000)
  s.connect()
  s.announce(at(5_000_000, toldFile('x', 'sent', 'e1')))
  await synd.pass(60_000)
  expect(tree()).toEqual(['x/y: f 644 y', 'x: d 755'])
  expect(announced().filter(({ path }) => path === 'x')).toHaveLength(1)
})

test('of two send-only neighbours one stands, once', async () => {
  const other = synd.peer('f', { mode: 'send-only' })
  synd.configure(['e', 'f'])
  s.connect()
  other.connect()
  s.announce(at(9_000_000, toldFile('x', 'of one', 'e1')))
  await synd.pass(5_000)
  other.announce(at(5_000_000, toldFile('x', 'of another', 'f1')))
  await synd.pass(120_000)
  expect(tree()).toEqual(['x.COPY: f 644 of one', 'x: f 644 of another'])
  expect(announced().filter(({ path }) => path === 'x')).toHaveLength(1)
})
