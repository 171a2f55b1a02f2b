import type { Entry } from '../core/entry.ts'
import type { Observation } from '../core/observation.ts'
import type { RelativePath } from '../core/relative-path.ts'
import type { Damage } from './damage.ts'
import type { LocalChanges } from './local-changes.ts'
import type { Store } from './ports.ts'

/** A live file as the index knows it. */
export interface Servable {
  readonly entry: Entry
  readonly observation: Observation
}

/** What the embedded source may serve at a path; null: nothing, or what the disk has there is nobody's to have. */
export function servableAt(
  path: RelativePath,
  {
    store,
    damage,
    localChanges,
  }: {
    readonly store: Pick<Store, 'get'>
    readonly damage: Damage
    readonly localChanges: LocalChanges
  },
): Servable | null {
  const record = store.get(path)
  if (record === null || record.entry.kind !== 'file' || record.observation === null) return null
  if (damage.has(path) || localChanges.has(path)) return null
  return { entry: record.entry, observation: record.observation }
}
