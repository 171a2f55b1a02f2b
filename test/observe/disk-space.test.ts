import { statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { createDiskSpaceGauges } from '../../src/observe/disk-space.ts'
import { createMetricTable } from '../../src/observe/metric-table.ts'

async function value(registry: Registry, name: string): Promise<number> {
  const metric = await registry.getSingleMetric(name)?.get()
  return metric?.values[0]?.value ?? Number.NaN
}

test('the room on the file system of the volume is shown, a moment after it was asked for', async () => {
  const registry = new Registry()
  const ask = createDiskSpaceGauges(createMetricTable(registry))
  expect(await value(registry, 'synd_volume_free_bytes')).toBe(0)
  ask(tmpdir())
  const { blocks, bsize } = await statfs(tmpdir())
  await expect
    .poll(() => value(registry, 'synd_volume_size_bytes'), { timeout: 30_000 })
    .toBe(blocks * bsize)
  const free = await value(registry, 'synd_volume_free_bytes')
  expect(free).toBeGreaterThan(0)
  expect(free).toBeLessThanOrEqual(blocks * bsize)
})

test('a volume that is missing leaves what was shown, and is asked again', async () => {
  const registry = new Registry()
  const ask = createDiskSpaceGauges(createMetricTable(registry))
  ask(join(tmpdir(), 'synd-no-such-volume'))
  await expect
    .poll(
      async () => {
        ask(tmpdir())
        return value(registry, 'synd_volume_size_bytes')
      },
      { timeout: 30_000 },
    )
    .toBeGreaterThan(0)
})
