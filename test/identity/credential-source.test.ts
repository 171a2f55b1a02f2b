import { generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto'
import { expect, test, vi } from 'vitest'
import type { TlsCredentials } from '../../src/core/credentials.ts'
import { anchorFor, certificateName, leafName } from '../../src/identity/certificate.ts'
import { CredentialSource } from '../../src/identity/credential-source.ts'
import type { PublicKey } from '../../src/identity/public-key.ts'
import { forge, handshake, makeMember, type Member } from './certificates.ts'

class Trusted {
  keys: readonly PublicKey[]
  #listeners: (() => void)[] = []
  constructor(...members: readonly Member[]) {
    this.keys = members.map((member) => member.key)
  }
  current(): readonly PublicKey[] {
    return this.keys
  }
  onChange(listener: () => void): () => void {
    this.#listeners.push(listener)
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener)
    }
  }
  change(...members: readonly Member[]): void {
    this.keys = members.map((member) => member.key)
    for (const listener of this.#listeners) listener()
  }
}

async function sourceOf(
  member: Member,
  trusted: Trusted,
  nowMs: () => number = Date.now,
): Promise<CredentialSource> {
  const source = new CredentialSource({
    privateKey: member.privateKey,
    trusted,
    log: () => {},
    nowMs,
  })
  await source.start()
  return source
}

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

async function memberAnd(): Promise<{
  source: CredentialSource
  victim: Member
  member: Member
  refused: (
    forged: { certificatePem: string; privateKeyPem: string },
    reason?: string,
  ) => Promise<void>
}> {
  const victim = makeMember()
  const member = makeMember()
  const source = await sourceOf(victim, new Trusted(victim, member))
  const refused = async (
    forged: { certificatePem: string; privateKeyPem: string },
    reason = 'null',
  ) => {
    const client: TlsCredentials = { ...forged, anchorsPem: source.current().anchorsPem }
    const seen = await handshake(source.current(), client)
    expect(seen.reason).toBe(reason)
    expect(source.keyOfPeer(seen.raw)).toBeNull()
  }
  return { source, victim, member, refused }
}

const issuerOf = (member: Member) => `CN=${certificateName(member.key.fingerprint)}`
const nameOf = (member: Member) => leafName(member.key.fingerprint)

test("a member's leaf with its own name is believed, so that the refusals below mean something", async () => {
  const { source, member } = await memberAnd()
  const forged = await forge({
    subject: 'CN=leaf',
    issuer: issuerOf(member),
    signedBy: member.privateKey,
    names: [nameOf(member)],
  })
  const seen = await handshake(source.current(), {
    ...forged,
    anchorsPem: source.current().anchorsPem,
  })
  expect(source.keyOfPeer(seen.raw)).toBe(member.key.fingerprint)
})

test("a leaf that a member issued in another member's name is refused", async () => {
  const { refused, member, victim } = await memberAnd()
  const subject = 'CN=leaf'
  const signedBy = member.privateKey
  await refused(
    await forge({ subject, issuer: issuerOf(member), signedBy, names: [nameOf(victim)] }),
  )
  await refused(
    await forge({ subject, issuer: issuerOf(victim), signedBy, names: [nameOf(victim)] }),
    'CERT_SIGNATURE_FAILURE',
  )
})

test('pathlen 0: a CA that a member issued in the name of another issues nothing that counts', async () => {
  const { refused, member, victim } = await memberAnd()
  const authority = await forge({
    subject: issuerOf(victim),
    issuer: issuerOf(member),
    signedBy: member.privateKey,
    isCa: true,
  })
  const leaf = await forge({
    subject: 'CN=leaf',
    issuer: issuerOf(victim),
    signedBy: authority.privateKey,
    names: [nameOf(victim)],
  })
  const chain = `${leaf.certificatePem}\n${authority.certificatePem}`
  // OpenSSL may build the chain by way of the true anchor of that name, whose signature does not fit, or of the forged one.
  await refused({ ...leaf, certificatePem: chain }, 'CERT_SIGNATURE_FAILURE')

  const other = await forge({
    subject: 'CN=other',
    issuer: issuerOf(member),
    signedBy: member.privateKey,
    isCa: true,
  })
  const below = await forge({
    subject: 'CN=leaf',
    issuer: 'CN=other',
    signedBy: other.privateKey,
    names: [nameOf(victim)],
  })
  await refused(
    { ...below, certificatePem: `${below.certificatePem}\n${other.certificatePem}` },
    'PATH_LENGTH_EXCEEDED',
  )
})

test('a leaf with two names, none, or one besides its own is refused', async () => {
  const { refused, member, victim } = await memberAnd()
  const own = nameOf(member)
  for (const names of [
    [own, nameOf(victim)],
    [nameOf(victim), own],
    [own, own],
    [],
    [`${own}, DNS:${nameOf(victim)}`],
    [own.toUpperCase()],
  ]) {
    await refused(
      await forge({
        subject: 'CN=leaf',
        issuer: issuerOf(member),
        signedBy: member.privateKey,
        names,
      }),
    )
  }
})

test('a CA as leaf is refused', async () => {
  const { refused, member } = await memberAnd()
  const forged = await forge({
    subject: 'CN=leaf',
    issuer: issuerOf(member),
    signedBy: member.privateKey,
    names: [nameOf(member)],
    isCa: true,
  })
  await refused(forged)
})

test('an expired leaf and one that is not valid yet are refused', async () => {
  const { refused, member } = await memberAnd()
  const common = {
    subject: 'CN=leaf',
    issuer: issuerOf(member),
    signedBy: member.privateKey,
    names: [nameOf(member)],
  }
  const before = new Date(Date.now() - 60_000)
  const after = new Date(Date.now() + 60_000)
  await refused(
    await forge({ ...common, notBefore: new Date(0), notAfter: before }),
    'CERT_HAS_EXPIRED',
  )
  await refused(
    await forge({ ...common, notBefore: after, notAfter: new Date('2100-01-01') }),
    'CERT_NOT_YET_VALID',
  )
})

test('a stranger, a self-made anchor and an issuer of two names are refused', async () => {
  const { refused, member } = await memberAnd()
  const stranger = makeMember()
  const subject = 'CN=leaf'
  await refused(
    await forge({
      subject,
      issuer: issuerOf(stranger),
      signedBy: stranger.privateKey,
      names: [nameOf(stranger)],
    }),
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  )
  await refused(
    await forge({
      subject,
      issuer: `${issuerOf(member)},CN=other`,
      signedBy: member.privateKey,
      names: [nameOf(member)],
    }),
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  )
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
