import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FileCredentials } from '../../src/identity/file-credentials.ts'
import { forge, handshake } from './certificates.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'synd-tls-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** An authority of the operator's own, and what it issued for `names`. */
async function issue(names: readonly string[]) {
  const authority = await forge({
    subject: 'CN=authority',
    issuer: 'CN=authority',
    signedBy: generateKeyPairSync('ed25519').privateKey,
    isCa: true,
  })
  const leaf = await forge({
    subject: 'CN=leaf',
    issuer: 'CN=authority',
    signedBy: authority.privateKey,
    names,
  })
  return { authority, leaf }
}

function write(issued: Awaited<ReturnType<typeof issue>>) {
  const files = {
    certificate: join(directory, 'tls.crt'),
    privateKey: join(directory, 'tls.key'),
    authorities: join(directory, 'ca.crt'),
  }
  writeFileSync(files.certificate, issued.leaf.certificatePem)
  writeFileSync(files.privateKey, issued.leaf.privateKeyPem)
  writeFileSync(files.authorities, `# ours\n${issued.authority.certificatePem}\n`)
  return files
}

test('files of one authority authenticate each other, and a host is held to its name', async () => {
  const source = new FileCredentials({
    files: write(await issue(['host-b.example'])),
    log: () => {},
  })
  source.start()
  const seen = await handshake(source.current(), source.current())
  expect(seen.authorized).toBe(true)
  expect(source.keyOfPeer(seen.raw, null)).toBe('')
  expect(source.keyOfPeer(seen.raw, 'host-b.example')).toBe('')
  expect(source.keyOfPeer(seen.raw, 'host-c.example')).toBeNull()
  expect(source.keyOfPeer(seen.raw, '127.0.0.1')).toBeNull()
  source.stop()
})

test('new files are taken over, damaged ones are not', async () => {
  const log = vi.fn()
  const files = write(await issue(['host-b.example']))
  const source = new FileCredentials({ files, log, pollMs: 10 })
  source.start()
  const before = source.current()
  const changed = vi.fn()
  source.onChange(changed)
  writeFileSync(files.privateKey, 'noise')
  await vi.waitFor(
    () => expect(log).toHaveBeenCalledWith('warn', expect.anything(), expect.anything()),
    10_000,
  )
  expect(source.current()).toBe(before)
  write(await issue(['host-b.example']))
  await vi.waitFor(() => expect(changed).toHaveBeenCalled(), 10_000)
  expect(source.current()).not.toEqual(before)
  source.stop()
})

test('other authorities make everybody prove themselves anew, another leaf nobody', async () => {
  const issued = await issue(['host-b.example'])
  const files = write(issued)
  const source = new FileCredentials({ files, log: () => {}, pollMs: 10 })
  source.start()
  const leaf = new X509Certificate(issued.leaf.certificatePem)
  const told: (string | null)[] = []
  source.onChange(() => told.push(source.keyOfPeer(leaf, null)))
  const own = await forge({
    subject: 'CN=leaf',
    issuer: 'CN=authority',
    signedBy: issued.authority.privateKey,
    names: ['host-b.example'],
  })
  writeFileSync(files.certificate, own.certificatePem)
  writeFileSync(files.privateKey, own.privateKeyPem)
  await vi.waitFor(() => expect(told).toEqual(['']), 10_000)
  write(await issue(['host-b.example']))
  await vi.waitFor(() => expect(told).toEqual(['', null]), 10_000)
  expect(source.keyOfPeer(leaf, null)).toBe('')
  source.stop()
})

test('files that are missing or do not fit are named', async () => {
  const files = write(await issue(['host-b.example']))
  const start = () => new FileCredentials({ files, log: () => {} }).start()
  writeFileSync(files.privateKey, (await issue(['x'])).leaf.privateKeyPem)
  expect(start).toThrow(/SYND_TLS_CERT: .* do not make a TLS identity/)
  writeFileSync(files.authorities, 'nothing')
  expect(start).toThrow(/SYND_TLS_CA: .* holds no certificate/)
  rmSync(files.certificate)
  expect(start).toThrow(/SYND_TLS_CERT: .* cannot be read \(ENOENT\)/)
})
