import { generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto'
import { expect, test, vi } from 'vitest'
import { anchorFor } from '../../src/identity/certificate.ts'
import { handshake, makeMember, type Member } from './certificates.ts'
import { sourceOf, Trusted } from './credential-fixture.ts'

function allKinds(): Member[] {
  return [
    generateKeyPairSync('ed25519'),
    generateKeyPairSync('rsa', { modulusLength: 2048 }),
    generateKeyPairSync('rsa', { modulusLength: 3072 }),
    generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  ].map((pair: { publicKey: KeyObject; privateKey: KeyObject }) => makeMember(pair))
}

test('keys of every kind authenticate each other, all anchors at once', async () => {
  const members = allKinds()
  const trusted = new Trusted(...members)
  const sources = await Promise.all(members.map((member) => sourceOf(member, trusted)))
  for (const [index, source] of sources.entries()) {
    const other = sources[(index + 1) % sources.length]!
    const seen = await handshake(source.current(), other.current())
    expect(seen).toMatchObject({ authorized: true })
    const otherKey = members[(index + 1) % members.length]!.key.fingerprint
    expect(source.keyOfPeer(seen.raw)).toBe(otherKey)
    expect(other.keyOfPeer(seen.serverRaw)).toBe(members[index]!.key.fingerprint)
  }
  for (const source of sources) source.stop()
})

test('a leaf is P-256, no CA, and valid from two days ago for thirty', async () => {
  const member = makeMember()
  const source = await sourceOf(member, new Trusted(member))
  const leaf = new X509Certificate(source.current().certificatePem)
  const dayMs = 86_400_000
  expect(leaf.ca).toBe(false)
  expect(leaf.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' })
  expect(leaf.issuer).toBe(`CN=${member.key.fingerprint.slice(0, 40)}`)
  expect(leaf.subjectAltName).toBe(`DNS:${member.key.fingerprint.slice(0, 40)}.synd`)
  const validMs = leaf.validToDate.getTime() - leaf.validFromDate.getTime()
  expect(validMs).toBe(30 * dayMs)
  expect(Math.abs(Date.now() - 2 * dayMs - leaf.validFromDate.getTime())).toBeLessThan(60_000)
  source.stop()
})

test('an anchor allows no authority below it and is not a leaf itself', async () => {
  const member = makeMember()
  const anchor = new X509Certificate(await anchorFor(member.key))
  const text = anchor.toLegacyObject()
  expect(anchor.ca).toBe(true)
  expect(anchor.validFromDate.toISOString()).toBe('1970-01-01T00:00:00.000Z')
  expect(anchor.validToDate.toISOString()).toBe('9999-12-31T23:59:59.000Z')
  expect(text.subject).toMatchObject({ CN: member.key.fingerprint.slice(0, 40) })
  // pathlen 0 in DER: SEQUENCE { BOOLEAN TRUE, INTEGER 0 }
  expect(anchor.raw.includes(Buffer.from('30060101ff020100', 'hex'))).toBe(true)
})

test('a removed key is refused at once, and the anchors follow', async () => {
  const own = makeMember()
  const peer = makeMember()
  const trusted = new Trusted(own, peer)
  const source = await sourceOf(own, trusted)
  const peers = await sourceOf(peer, new Trusted(own, peer))
  const before = source.current()
  const { raw } = await handshake(before, peers.current())
  const changed = vi.fn()
  source.onChange(changed)
  trusted.change(own)
  expect(source.keyOfPeer(raw)).toBeNull()
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(1), 10_000)
  expect(source.current().anchorsPem).toHaveLength(1)
  expect(source.current().certificatePem).toBe(before.certificatePem)
  const seen = await handshake(source.current(), peers.current())
  expect(seen.authorized).toBe(false)
  source.stop()
  peers.stop()
})

test('with nobody authorized there is still an anchor, one that admits nobody', async () => {
  const own = makeMember()
  const trusted = new Trusted(own)
  const source = await sourceOf(own, trusted)
  const changed = vi.fn()
  source.onChange(changed)
  trusted.change()
  await vi.waitFor(() => expect(changed).toHaveBeenCalled(), 10_000)
  expect(source.current().anchorsPem).toHaveLength(1)
  const peers = await sourceOf(own, new Trusted(own))
  const seen = await handshake(source.current(), peers.current())
  expect(seen).toMatchObject({ authorized: false })
  source.stop()
  peers.stop()
})

test('a new leaf comes each day, also after the clock was put back', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  try {
    let nowMs = Date.now()
    const own = makeMember()
    const source = await sourceOf(own, new Trusted(own), () => nowMs)
    const leaves = [source.current().certificatePem]
    const changed = vi.fn(() => leaves.push(source.current().certificatePem))
    source.onChange(changed)
    nowMs += 23 * 3_600_000
    vi.advanceTimersByTime(60_000)
    expect(changed).not.toHaveBeenCalled()
    nowMs += 3_600_000
    vi.advanceTimersByTime(60_000)
    await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(1), 10_000)
    nowMs -= 72 * 3_600_000
    vi.advanceTimersByTime(60_000)
    await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(2), 10_000)
    expect(new Set(leaves).size).toBe(3)
    source.stop()
  } finally {
    vi.useRealTimers()
  }
})

test('what is no certificate belongs to nobody', async () => {
  const own = makeMember()
  const source = await sourceOf(own, new Trusted(own))
  expect(source.keyOfPeer(Buffer.from('noise'))).toBeNull()
  expect(source.keyOfPeer(Buffer.alloc(0))).toBeNull()
  source.stop()
})
