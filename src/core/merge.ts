import { sameContent, type Entry, type Tombstone } from './entry.ts'
import { compareDots, coversDot, formatDot, mergeVectors, type Dot } from './version-vector.ts'

type Side = 'a' | 'b'
type Metadata = Pick<Entry, 'mode' | 'mtimeUs' | 'metadataDot'>

/**
 * One entry out of two: the content of `a`, the metadata of whichever side's metadata dot the other has not seen, and the least
 * vector that covers both (rules 3 and 5). Of equal contents the dot that the other side has not seen is kept too: it may be a file restored
 * after a delete that saw only the older write. Where neither or both have seen the other's, the greater mode, mtime and dot are kept, so
 * that the result does not depend on who merges.
 */
export function mergeOver(a: Entry, b: Entry): Entry {
  const version = mergeVectors(a.version, b.version)
  if (!sameContent(a, b)) return { ...a, ...metadataForOtherContent(a, b), version }
  const isFromA = (newerSide(a, b, contentDotOf) ?? greaterSide(a, b)) === 'a'
  if (a.kind === 'tombstone') return { ...(isFromA ? a : b), version }
  const contentDot = isFromA ? a.contentDot : b.contentDot
  return { ...a, ...metadataForSameContent(a, b), contentDot, version }
}

function metadataForSameContent(a: Entry, b: Entry): Metadata {
  const side = newerSide(a, b, metadataDotOf)
  if (side !== null) {
    const { mode, mtimeUs, metadataDot } = side === 'a' ? a : b
    return { mode, mtimeUs, metadataDot }
  }
  const isFromA = compareDots(a.metadataDot, b.metadataDot) >= 0
  return {
    mode: Math.max(a.mode, b.mode),
    mtimeUs: Math.max(a.mtimeUs, b.mtimeUs),
    metadataDot: isFromA ? a.metadataDot : b.metadataDot,
  }
}

/** The mtime belongs to the content that stands; a mode set meanwhile on content that was replaced still counts. */
function metadataForOtherContent(a: Entry, b: Entry): Omit<Metadata, 'mtimeUs'> {
  const from = a.kind === b.kind && newerSide(a, b, metadataDotOf) === 'b' ? b : a
  return { mode: from.mode, metadataDot: from.metadataDot }
}

/** The side whose write the other has not seen while the other's was seen; null: unordered. */
function newerSide(a: Entry, b: Entry, dotOf: (entry: Entry) => Dot): Side | null {
  const aSawB = coversDot(a.version, dotOf(b))
  const bSawA = coversDot(b.version, dotOf(a))
  if (aSawB === bSawA) return null
  return aSawB ? 'a' : 'b'
}

function contentDotOf(entry: Entry): Dot {
  return entry.contentDot
}

function metadataDotOf(entry: Entry): Dot {
  return entry.metadataDot
}

/** Of the same content written twice, the greater dot. */
function greaterSide(a: Entry, b: Entry): Side {
  const order = compareDots(a.contentDot, b.contentDot)
  if (order !== 0) return order > 0 ? 'a' : 'b'
  if (a.kind !== 'tombstone' || b.kind !== 'tombstone') return 'a'
  return removedText(a) >= removedText(b) ? 'a' : 'b'
}

/** Tells two deletes with one dot apart, which there are only where a dot was issued twice (rule 1). */
function removedText(tombstone: Tombstone): string {
  const { removedKind, removedDigest, mode, mtimeUs, metadataDot } = tombstone
  return [removedKind, removedDigest, mode, mtimeUs, formatDot(metadataDot)].join(' ')
}
