import { parseDigest, type Digest } from '../core/digest.ts'
import { parseEpoch, parsePeerId, type Epoch, type PeerId } from '../core/peer-id.ts'
import type { Sequence } from '../core/protocol.ts'
import { maxVectorComponents, type Dot, type VersionVector } from '../core/version-vector.ts'
import type { Dot__Output, Dot as WireDot } from './generated/synd/v1/Dot.ts'
import { Rejection, type RejectionReason } from './rejection.ts'

const idBytes = 8
const digestBytes = 32

/** A counter is a clock in milliseconds; one that is a day ahead of ours would drag every peer's along (rule 2). */
const maxAheadMs = 24 * 60 * 60 * 1000

/** 8 bytes; throws a Rejection. */
export function readPeerId(bytes: Buffer, reason: RejectionReason): PeerId {
  return parsePeerId(readHex(bytes, { length: idBytes, reason, name: 'peer id' }))
}

/** 8 bytes; throws a Rejection. */
export function readEpoch(bytes: Buffer, reason: RejectionReason): Epoch {
  return parseEpoch(readHex(bytes, { length: idBytes, reason, name: 'epoch' }))
}

/** 32 bytes; throws a Rejection. */
export function readDigest(bytes: Buffer): Digest {
  return parseDigest(readHex(bytes, { length: digestBytes, reason: 'bad-digest', name: 'digest' }))
}

/** The bytes of an id or digest. */
export function hexBytes(hex: string): Buffer {
  return Buffer.from(hex, 'hex')
}

/** A 64-bit number as the decoder gives it, at least `lowest` and exact; throws a Rejection. */
export function readWhole(
  text: string,
  { lowest, reason, name }: { lowest: number; reason: RejectionReason; name: string },
): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < lowest) {
    throw new Rejection(reason, `${name} ${text}`)
  }
  return value
}

/** From 1. */
export function readSequence(text: string, reason: RejectionReason): Sequence {
  return readWhole(text, { lowest: 1, reason, name: 'sequence' })
}

/** One dot; `nowMs` bounds its counter. */
export function readDot(
  dot: Dot__Output | null,
  { reason, nowMs }: { reason: RejectionReason; nowMs: number },
): Dot {
  if (dot === null) throw new Rejection(reason, 'no dot')
  const peer = readPeerId(dot.peer, reason)
  const counter = readWhole(dot.counter, { lowest: 1, reason, name: 'counter' })
  if (counter > nowMs + maxAheadMs) {
    throw new Rejection('counter-ahead', `counter ${counter} is over a day ahead of the clock`)
  }
  return { peer, counter }
}

/** At least one component, at most 256, each peer once. */
export function readVector(dots: readonly Dot__Output[], nowMs: number): VersionVector {
  if (dots.length === 0 || dots.length > maxVectorComponents) {
    throw new Rejection('bad-vector', `version of ${dots.length} components`)
  }
  const vector = new Map<PeerId, number>()
  for (const wireDot of dots) {
    const { peer, counter } = readDot(wireDot, { reason: 'bad-vector', nowMs })
    if (vector.has(peer)) throw new Rejection('bad-vector', `version names peer ${peer} twice`)
    vector.set(peer, counter)
  }
  return vector
}

export function writeDot(dot: Dot): WireDot {
  return { peer: hexBytes(dot.peer), counter: dot.counter }
}

export function writeVector(vector: VersionVector): WireDot[] {
  return Array.from(vector, ([peer, counter]) => writeDot({ peer, counter }))
}

function readHex(
  bytes: Buffer,
  { length, reason, name }: { length: number; reason: RejectionReason; name: string },
): string {
  if (bytes.length !== length) throw new Rejection(reason, `${name} of ${bytes.length} bytes`)
  return bytes.toString('hex')
}
