import { contentDigest } from '../../core/entry.ts'
import type { Copies } from './copies.ts'
import type { Ledger } from '../ledger.ts'
import { Overlay } from './overlay.ts'
import type { Observer, Store, Volume } from '../ports.ts'

/**
 * What a crash left in `.synd/hold` (rule 22): a file whose content is no known version of its path becomes the conflict copy of that path;
 * only then is it swept. What had been let go already goes.
 */
export async function resolveHeldFiles(parts: {
  store: Store
  volume: Volume
  copies: Pick<Copies, 'ofHold'>
  ledger: Ledger
  observer: Observer
}): Promise<void> {
  const { store, volume, copies, ledger, observer } = parts
  const released = store.releasedHolds()
  await volume.releaseHolds(released)
  const overlay = new Overlay({ store })
  const resolved: string[] = []
  for (const { id, path } of store.holds()) {
    const held = await volume.stageFromHold(id)
    if (held === null) {
      resolved.push(id)
      continue
    }
    await held.stage.discard()
    const known = store.get(path)?.entry ?? null
    const versions = [known, ...store.remote(path).map(({ entry }) => entry)]
    const isKnown = versions.some((entry) => entry !== null && contentDigest(entry) === held.digest)
    if (isKnown || (await copies.ofHold(id, { path, known }, overlay))) resolved.push(id)
    else
      observer.log(
        'error',
        'a replaced file is kept in .synd/hold: no conflict copy could be made of it',
        { hold: id },
      )
  }
  await volume.syncDirectories()
  ledger.commit(overlay.take(), { releasedHolds: resolved, unlinkedHolds: released })
  await volume.releaseHolds(resolved)
}
