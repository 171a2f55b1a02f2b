import { sameContent, type Entry } from './entry.ts'
import { compareDots, coversDot, mergeVectors, type Dot } from './version-vector.ts'

type Side = 'a' | 'b'

/**
 * One entry out of two: the content of `a`, the metadata of whichever side's metadata dot the other has not seen, and the least
 * vector that covers both (rules 3 and 5). Where neither or both have seen the other's, the greater mode, mtime and dot are kept, so that
 * the result does not depend on who merges.
 */
export function mergeOver(a: Entry, b: Entry): Entry {
  const version = mergeVectors(a.version, b.version)
  if (!sameContent(a, b)) return { ...a, ...metadataForOtherContent(a, b), version }
  const contentDot = greaterDot(a.contentDot, b.contentDot)
  const newer = newerMetadata(a, b)
  const metadata =
    newer === null
      ? {
          mode: Math.max(a.mode, b.mode),
          mtimeUs: Math.max(a.mtimeUs, b.mtimeUs),
          metadataDot: greaterDot(a.metadataDot, b.metadataDot),
        }
      : metadataOf(newer === 'a' ? a : b)
  return { ...a, contentDot, version, ...metadata }
}

function metadataOf(entry: Entry): Pick<Entry, 'mode' | 'mtimeUs' | 'metadataDot'> {
  return { mode: entry.mode, mtimeUs: entry.mtimeUs, metadataDot: entry.metadataDot }
}

/** The mtime belongs to the content that stands; a mode set meanwhile on content that was replaced still counts. */
function metadataForOtherContent(a: Entry, b: Entry): Pick<Entry, 'mode' | 'metadataDot'> {
  const from = a.kind === b.kind && newerMetadata(a, b) === 'b' ? b : a
  return { mode: from.mode, metadataDot: from.metadataDot }
}

/** The side whose metadata the other has not seen while its own was seen; null: unordered. */
function newerMetadata(a: Entry, b: Entry): Side | null {
  const aSawB = coversDot(a.version, b.metadataDot)
  const bSawA = coversDot(b.version, a.metadataDot)
  if (aSawB === bSawA) return null
  return aSawB ? 'a' : 'b'
}

function greaterDot(a: Dot, b: Dot): Dot {
  return compareDots(a, b) >= 0 ? a : b
}
