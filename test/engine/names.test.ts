import { afterEach, beforeEach, expect, test } from 'vitest'
import { nastyNames } from '../support/nasty-names.ts'
import { LoneEngine } from './lone-engine.ts'
import { toldFile, type PlayedPeer } from './played-peer.ts'

/** G12: any name that Linux allows. */

let synd: LoneEngine
let b: PlayedPeer

beforeEach(async () => {
  synd = await LoneEngine.start()
  b = synd.peer('b')
  b.connect()
  await synd.pass(1_000)
})

afterEach(async () => {
  await synd.stop()
})

const names = nastyNames.filter((name) => name !== '.syndignore')

test('files of all names that are made here are announced', async () => {
  for (const name of names) synd.hands.write(name, 'content')
  await synd.pass(20_000)
  const heard = b.heard.flatMap(({ entries }) => entries.map(({ entry }) => entry.path))
  expect([...new Set(heard)].toSorted()).toEqual(names.toSorted())
})

test('files of all names that come are there', async () => {
  b.announce(...names.map((name) => toldFile(name, 'content')))
  await synd.pass(20_000)
  expect([...synd.hands.tree().keys()]).toEqual(names.toSorted())
  expect(synd.status.problems).toEqual([])
})

test('and those that several founders have under such names too', async () => {
  const left = await synd.stop()
  for (const name of names) synd.hands.write(name, 'content')
  synd = await LoneEngine.start({}, left)
  b = synd.peer('b', { joining: true })
  b.connect()
  b.announce(...names.map((name) => toldFile(name, 'other')))
  await synd.pass(100_000)
  for (const name of names) expect(synd.hands.read(name)).not.toBeNull()
})
