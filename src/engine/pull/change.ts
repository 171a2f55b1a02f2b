import { sameContent, sameMetadata, type Entry } from '../../core/entry.ts'
import type { IndexRecord } from '../../core/index-record.ts'
import type { Observation } from '../../core/observation.ts'
import type { Change, Stage } from '../ports.ts'

/** The step on the disk that makes it hold the entry; null: it does. `expected` is what is there, `record` what the index knows of it. */
export function changeFor(
  entry: Entry,
  known: {
    needsBytes: boolean
    stage: Stage | null
    record: IndexRecord | null
    expected: Observation | null
  },
): Change | null {
  const { needsBytes, stage, record, expected } = known
  if (entry.kind === 'tombstone')
    return expected === null ? null : { kind: 'remove', path: entry.path, expected }
  if (needsBytes) {
    if (entry.kind !== 'file' || stage === null)
      throw new Error('a file that needs bytes has no stage')
    return { kind: 'publish', entry, stage, expected }
  }
  const isKnown = record !== null && record.observation !== null && sameContent(record.entry, entry)
  if (isKnown && sameMetadata(record.entry, entry)) return null
  return isKnown && expected !== null
    ? { kind: 'set-metadata', entry, expected }
    : { kind: 'make', entry, expected }
}
