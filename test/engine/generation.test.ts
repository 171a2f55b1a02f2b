import { describe, expect, test } from 'vitest'
import { endGeneration, isOfVolume, redrawGeneration } from '../../src/engine/generation.ts'
import { SyndError } from '../../src/core/errors.ts'
import { peer } from '../core/build.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { Random } from '../support/random.ts'

describe('the generation of a volume', () => {
  const store = () => new MemoryStore({ peerId: peer('a') })

  /** `failsAt`: the process ends before the volume has it, or just after. */
  function volume(failsAt: 'before' | 'after' | null = null) {
    const made = {
      marker: { mark: '7:1', id: 'volume', generation: 'first' },
      setGeneration: async (generation: string) => {
        if (failsAt === 'before') throw new Error('killed')
        made.marker = { ...made.marker, generation }
        if (failsAt === 'after') throw new Error('killed')
      },
    }
    return made
  }

  test('rule 20: a new index takes any volume, and then no other', async () => {
    const [index, ours] = [store(), volume()]
    expect(isOfVolume(index, ours)).toBe(true)
    await redrawGeneration(index, ours, new Random(1))
    expect(isOfVolume(index, ours)).toBe(true)
    const others = [{ mark: '7:2' }, { id: 'another' }, { generation: 'first' }]
    for (const other of others)
      expect(isOfVolume(index, { ...ours, marker: { ...ours.marker, ...other } })).toBe(false)
  })

  test('rule 20: what it was before is another', async () => {
    const [index, ours] = [store(), volume()]
    await redrawGeneration(index, ours, new Random(1))
    const before = ours.marker
    await redrawGeneration(index, ours, new Random(2))
    expect(isOfVolume(index, { ...ours, marker: before })).toBe(false)
  })

  test.each(['before', 'after'] as const)(
    'rule 20: a crash just %s the volume has the next one is none',
    async (failsAt) => {
      const [index, ours] = [store(), volume(failsAt)]
      await expect(redrawGeneration(index, ours, new Random(1))).rejects.toThrow('killed')
      expect(isOfVolume(index, ours)).toBe(true)
    },
  )

  test('rule 20: a disk that refuses the last generation ends no life uncleanly, and the next start knows the volume', async () => {
    const [index, ours] = [store(), { ...volume(), halt: () => null }]
    const refused = new SyndError('no-space', 'full')
    const full = { ...ours, setGeneration: () => Promise.reject(refused) }
    expect(await endGeneration(index, full, new Random(1))).toBe(refused)
    expect(isOfVolume(index, ours)).toBe(true)
    expect(await endGeneration(index, ours, new Random(2))).toBeNull()
    const broken = { ...ours, setGeneration: () => Promise.reject(new Error('a bug')) }
    await expect(endGeneration(index, broken, new Random(1))).rejects.toThrow('a bug')
  })

  test('rule 20: a halted volume is left alone at the end', async () => {
    const [index, ours] = [store(), volume()]
    const halt = { code: 'volume-missing', message: 'gone' } as const
    expect(await endGeneration(index, { ...ours, halt: () => halt }, new Random(1))).toBeNull()
    expect(ours.marker.generation).toBe('first')
  })
})
