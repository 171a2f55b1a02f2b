import { test } from 'vitest'
import type { Observation } from '../../src/core/observation.ts'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import type { Applied, Change } from '../../src/engine/ports.ts'
import type { Disk } from '../../src/volume/disk.ts'
import { openVolume } from '../../src/volume/open.ts'
import type { SyndVolume } from '../../src/volume/volume.ts'
import type { Hands } from '../support/hands.ts'
import { interceptDisk } from '../support/intercept-disk.ts'
import { countingIds, TestLedger } from '../support/volume-fixture.ts'

/** An empty disk and somebody else's hands on it. */
export interface Ground {
  readonly disk: Disk
  readonly hands: Hands
  readonly dispose: () => Promise<void>
}

/** What a test of the volume works with. */
export interface Under extends Ground {
  readonly volume: SyndVolume
  readonly ledger: TestLedger
  /** The volume as it works while `before` interferes with its calls. */
  readonly interfered: (before: Parameters<typeof interceptDisk>[1]) => Promise<SyndVolume>
}

/** Gives a `test` whose body has a volume on a ground of its own. */
export function volumeTests(
  ground: () => Ground,
): (title: string, body: (under: Under) => Promise<void> | void) => void {
  return (title, body) =>
    test(title, async () => {
      const { disk, hands, dispose } = ground()
      const ledger = new TestLedger()
      const ids = countingIds()
      const open = (disk: Disk): Promise<SyndVolume> =>
        openVolume({ disk, path: '/volume', durability: 'full', ledger, ids })
      try {
        const volume = await open(disk)
        const interfered: Under['interfered'] = (before) => open(interceptDisk(disk, before))
        await body({ disk, hands, dispose, ledger, volume, interfered })
      } finally {
        await dispose()
      }
    })
}

export function make(
  volume: SyndVolume,
  entry: (Change & { kind: 'make' })['entry'],
  expected: Observation | null = null,
): Promise<Applied> {
  return volume.apply({ kind: 'make', entry, expected })
}

export function remove(
  volume: SyndVolume,
  path: string,
  expected: Observation | null,
): Promise<Applied> {
  if (expected === null) throw new Error('nothing to remove')
  return volume.apply({ kind: 'remove', path: parseRelativePath(path), expected })
}

/** What is in `.synd/staging`. */
export function stagedFiles(hands: Hands): string[] {
  return [...hands.tree('.synd/staging').keys()]
}
