import { expect, test } from 'vitest'
import type { TlsCredentials } from '../../src/core/credentials.ts'
import { certificateName, leafName } from '../../src/identity/certificate.ts'
import type { CredentialSource } from '../../src/identity/credential-source.ts'
import { forge, handshake, makeMember, type Member } from './certificates.ts'
import { sourceOf, Trusted } from './credential-fixture.ts'

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
