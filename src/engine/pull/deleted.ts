import type { IndexRecord } from '../../core/index-record.ts'
import { compareVectors } from '../../core/version-vector.ts'
import type { Overlay } from './overlay.ts'

/** Somebody who knew it deleted it (rule 11). */
export function isDeleted({ entry: { path, version } }: IndexRecord, overlay: Overlay): boolean {
  return overlay
    .remote(path)
    .some(
      ({ entry }) =>
        entry.kind === 'tombstone' && compareVectors(version, entry.version) === 'behind',
    )
}

/** Nobody deleted it, or something below it. */
export function keepsSome(record: IndexRecord, overlay: Overlay): boolean {
  if (!isDeleted(record, overlay)) return true
  const { path, kind } = record.entry
  if (kind !== 'directory') return false
  return overlay.liveChildren(path).some((child) => keepsSome(child, overlay))
}
