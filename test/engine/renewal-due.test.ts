import { afterEach, expect, test } from 'vitest'
import { parsePeerId } from '../../src/core/peer-id.ts'
import { LoneEngine } from './lone-engine.ts'
import { toldFile } from './played-peer.ts'

/** Rule 1: a peer that meets its own id elsewhere draws another one, at most once a minute. */

let synd: LoneEngine

afterEach(async () => {
  await synd.stop()
})

/** b has seen a version that this host, as it is called now, never made. */
function announceForeign(name: string): void {
  const [entry, content] = toldFile(name, name)
  const version = new Map([...entry.version, [parsePeerId(synd.status.peer.id), 2 ** 50]])
  synd.peer('b').announce([{ ...entry, version }, content])
}

test('rule 1: an id that is due again within a minute is drawn when the minute is over', async () => {
  synd = await LoneEngine.start()
  const b = synd.peer('b')
  b.connect()
  await synd.pass(1_000)
  const ids = [synd.status.peer.id]
  const draw = async (name: string): Promise<void> => {
    announceForeign(name)
    await synd.pass(1_000)
    ids.push(synd.status.peer.id)
  }
  await draw('one')
  b.dialIn()
  await draw('two')
  expect(ids[1]).not.toBe(ids[0])
  expect(ids[2]).toBe(ids[1])
  await synd.pass(55_000)
  expect(synd.status.peer.id).toBe(ids[1])
  await synd.pass(5_000)
  const last = synd.status.peer.id
  expect(last).not.toBe(ids[1])
  await synd.pass(300_000)
  expect(synd.status.peer.id).toBe(last)
  const renewals = synd.observer.lines.filter(
    (line) => line === 'rejected identity identity-renewed',
  )
  expect(renewals).toHaveLength(2)
})
