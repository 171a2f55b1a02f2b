import { SyndError } from './errors.ts'
import { parsePeerId, type PeerId } from './peer-id.ts'

/** One write: the peer that made it and that peer's counter then (rule 2). Counters are positive safe integers. */
export interface Dot {
  readonly peer: PeerId
  readonly counter: number
}

/** For each peer the highest counter seen. Empty: what a joining peer found (rule 9). A join-semilattice under `mergeVectors`. */
export type VersionVector = ReadonlyMap<PeerId, number>

export type VectorOrder = 'equal' | 'behind' | 'ahead' | 'concurrent'

/** More components than this are refused from the wire. */
export const maxVectorComponents = 256

export const emptyVector: VersionVector = new Map()

export function vectorOf(...dots: readonly Dot[]): VersionVector {
  const vector = new Map<PeerId, number>()
  for (const { peer, counter } of dots) vector.set(peer, Math.max(counter, vector.get(peer) ?? 0))
  return vector
}

/** The least vector that covers both. */
export function mergeVectors(a: VersionVector, b: VersionVector): VersionVector {
  if (a === b || b.size === 0) return a
  const merged = new Map(a)
  for (const [peer, counter] of b) {
    if (counter > (merged.get(peer) ?? 0)) merged.set(peer, counter)
  }
  return merged
}

/** How `a` stands to `b`: `behind` when b covers more. */
export function compareVectors(a: VersionVector, b: VersionVector): VectorOrder {
  const aCovers = covers(a, b)
  const bCovers = covers(b, a)
  if (aCovers && bCovers) return 'equal'
  if (aCovers) return 'ahead'
  return bCovers ? 'behind' : 'concurrent'
}

/** True when `a` is equal to or ahead of `b`. */
export function covers(a: VersionVector, b: VersionVector): boolean {
  for (const [peer, counter] of b) {
    if ((a.get(peer) ?? 0) < counter) return false
  }
  return true
}

export function coversDot(vector: VersionVector, dot: Dot): boolean {
  return (vector.get(dot.peer) ?? 0) >= dot.counter
}

export function withDot(vector: VersionVector, dot: Dot): VersionVector {
  return mergeVectors(vector, vectorOf(dot))
}

export function dotsEqual(a: Dot, b: Dot): boolean {
  return a.peer === b.peer && a.counter === b.counter
}

/** A total order on dots, the same on every peer: counter first, so that the later write is the greater. */
export function compareDots(a: Dot, b: Dot): number {
  if (a.counter !== b.counter) return a.counter < b.counter ? -1 : 1
  return a.peer < b.peer ? -1 : a.peer > b.peer ? 1 : 0
}

/** `peer:counter` */
export function formatDot(dot: Dot): string {
  return `${dot.peer}:${dot.counter}`
}

/** Inverse of `formatDot`; throws `bad-entry`. */
export function parseDot(text: string): Dot {
  const colon = text.indexOf(':')
  const counter = text.slice(colon + 1)
  if (colon < 0 || !/^[1-9][0-9]{0,15}$/.test(counter))
    throw new SyndError('bad-entry', `dot "${text}"`)
  return { peer: parsePeerId(text.slice(0, colon)), counter: parseCounter(Number(counter)) }
}

/** A counter from outside: a whole number from 1 to 2^53 - 1; throws `bad-entry`. */
export function parseCounter(counter: number): number {
  if (!Number.isSafeInteger(counter) || counter < 1)
    throw new SyndError('bad-entry', `counter ${counter}`)
  return counter
}

/** Canonical text, components sorted by peer: `id:counter,id:counter`; empty for the empty vector. */
export function formatVector(vector: VersionVector): string {
  return [...vector]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([peer, counter]) => `${peer}:${counter}`)
    .join(',')
}

/** Inverse of `formatVector`; throws `bad-entry`, also for duplicates. */
export function parseVector(text: string): VersionVector {
  const vector = new Map<PeerId, number>()
  if (text === '') return vector
  for (const component of text.split(',')) {
    const { peer, counter } = parseDot(component)
    if (vector.has(peer)) throw new SyndError('bad-entry', `vector names peer ${peer} twice`)
    vector.set(peer, counter)
  }
  if (vector.size > maxVectorComponents)
    throw new SyndError('bad-entry', `vector of ${vector.size} components`)
  return vector
}
