import { createHash } from 'node:crypto'
import { openSync, closeSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import { errnoOf } from '../../src/volume/disk.ts'
import { HashPool } from '../../src/volume/node/hash-pool.ts'
import { realVolume } from '../support/real-volume.ts'
import { demandApplied, fileEntry, observed } from '../support/volume-fixture.ts'

const mebibyte = 1024 * 1024
const f = parseRelativePath('f')

describe('hashing real files', () => {
  for (const size of [1, 4 * mebibyte - 1, 4 * mebibyte, 20 * mebibyte + 17]) {
    test(`${size} bytes have the digest that they have`, async () => {
      await using under = realVolume()
      const volume = await under.open()
      const bytes = Buffer.alloc(size, 'synd, a file of some size ')
      writeFileSync(join(under.path, 'f'), bytes)
      expect(await volume.digest(f, observed(volume, 'f'))).toEqual({
        kind: 'digested',
        digest: createHash('sha256').update(bytes).digest('hex'),
        target: null,
      })
    })

    test(`${size} bytes that change while they are read have no digest`, async () => {
      await using under = realVolume()
      const volume = await under.open()
      writeFileSync(join(under.path, 'f'), Buffer.alloc(size))
      const digesting = volume.digest(f, observed(volume, 'f'))
      under.hands.append('f', 'more')
      expect(await digesting).toEqual({ kind: 'changed' })
      const shrinking = volume.digest(f, observed(volume, 'f'))
      truncateSync(join(under.path, 'f'), 0)
      expect(await shrinking).toEqual({ kind: 'changed' })
    })
  }

  test('many large files at once are hashed off the event loop, each right', async () => {
    await using under = realVolume()
    const volume = await under.open()
    const names = Array.from({ length: 12 }, (_, i) => `f${i}`)
    for (const [i, name] of names.entries())
      writeFileSync(join(under.path, name), Buffer.alloc(8 * mebibyte, i + 1))
    let turns = 0
    let isHashing = true
    const turn = (): void => {
      turns++
      if (isHashing) setImmediate(turn)
    }
    setImmediate(turn)
    const digests = await Promise.all(
      names.map((name) => volume.digest(parseRelativePath(name), observed(volume, name))),
    )
    isHashing = false
    for (const [i, digested] of digests.entries()) {
      const digest = createHash('sha256')
        .update(Buffer.alloc(8 * mebibyte, i + 1))
        .digest('hex')
      expect(digested).toMatchObject({ kind: 'digested', digest })
    }
    expect(turns).toBeGreaterThan(names.length)
  })

  test('a large local file is copied and verified', async () => {
    await using under = realVolume()
    const volume = await under.open()
    const content = 'large '.repeat(mebibyte)
    under.hands.write('f', content)
    const entry = fileEntry('g', content, { mode: 0o600 })
    const { sizeBytes, digest } = entry
    const stage = await volume.stageFromLocal(f, { sizeBytes, digest, metadata: entry })
    if (stage === null) throw new Error('no stage')
    demandApplied(await volume.apply({ kind: 'publish', entry, stage, expected: null }))
    expect(under.hands.read('g') === content).toBe(true)
    expect(observed(volume, 'g')).toMatchObject({ mode: 0o600 })
    expect(observed(volume, 'g').inode).not.toBe(observed(volume, 'f').inode)
  })
})

test('a pool that is stopped answers what it was asked', async () => {
  await using under = realVolume()
  writeFileSync(join(under.path, 'f'), Buffer.alloc(64 * mebibyte))
  const fd = openSync(join(under.path, 'f'), 'r')
  const pool = new HashPool()
  const asked = Array.from({ length: 6 }, async () => pool.hash(fd).catch(errnoOf))
  await pool.stop()
  for (const answer of await Promise.all(asked))
    expect(typeof answer === 'string' ? answer : 'hashed').toMatch(/ECANCELED|EIO|hashed/)
  expect(await pool.hash(fd).catch(errnoOf)).toBe('ECANCELED')
  closeSync(fd)
})

test('a file that cannot be read makes its own job fail and no other', async () => {
  await using under = realVolume()
  const pool = new HashPool()
  expect(await pool.hash(999_999).catch(errnoOf)).toBe('EBADF')
  writeFileSync(join(under.path, 'f'), 'x')
  const fd = openSync(join(under.path, 'f'), 'r')
  expect(await pool.hash(fd)).toMatchObject({ sizeBytes: 1 })
  closeSync(fd)
  await pool.stop()
})

test('a thread that has nothing to do ends, and another one starts when it is needed', async () => {
  await using under = realVolume()
  writeFileSync(join(under.path, 'f'), 'x')
  const fd = openSync(join(under.path, 'f'), 'r')
  const pool = new HashPool({ idleMs: 1 })
  for (let round = 0; round < 2; round++) {
    expect(await pool.hash(fd)).toMatchObject({ sizeBytes: 1 })
    await vi.waitUntil(() => pool.size === 0, { timeout: 20_000 })
  }
  await pool.stop()
  closeSync(fd)
})
