import { createHash } from 'node:crypto'
import type { Digest } from '../core/digest.ts'
import type { Entry, LiveKind, Tombstone } from '../core/entry.ts'
import type { SequencedEntry } from '../core/protocol.ts'
import { maxPathBytes, parseRelativePath, pathRefusal } from '../core/relative-path.ts'
import { coversDot, dotsEqual } from '../core/version-vector.ts'
import type { Entry__Output, Entry as WireEntry } from './generated/synd/v1/Entry.ts'
import { RemovedKind } from './generated/synd/v1/RemovedKind.ts'
import type { Symlink__Output } from './generated/synd/v1/Symlink.ts'
import type { Tombstone__Output } from './generated/synd/v1/Tombstone.ts'
import { Rejection } from './rejection.ts'
import {
  hexBytes,
  readDigest,
  readDot,
  readSequence,
  readVector,
  readWhole,
  writeDot,
  writeVector,
} from './wire-value.ts'

/** Set-id and sticky bits never travel. */
const modeBits = 0o777
/** A symlink's text has the kernel's limit of a path. */
const maxTargetBytes = maxPathBytes

type Common = Pick<Entry, 'path' | 'version' | 'contentDot' | 'metadataDot' | 'mode' | 'mtimeUs'>

/** The entry in a decoded message, everything checked; throws a Rejection for one that is to be refused. */
export function readEntry(wire: Entry__Output, nowMs: number): SequencedEntry {
  const sequence = readSequence(wire.sequence, 'bad-sequence')
  return { sequence, entry: readKind(wire, readCommon(wire, nowMs)) }
}

/** Inverse of `readEntry`. */
export function writeEntry({ sequence, entry }: SequencedEntry): WireEntry {
  return {
    sequence,
    path: Buffer.from(entry.path, 'latin1'),
    version: writeVector(entry.version),
    contentDot: writeDot(entry.contentDot),
    metadataDot: dotsEqual(entry.contentDot, entry.metadataDot)
      ? null
      : writeDot(entry.metadataDot),
    mode: entry.mode,
    mtimeUs: entry.mtimeUs,
    ...writeKind(entry),
  }
}

function readCommon(wire: Entry__Output, nowMs: number): Common {
  const text = wire.path.toString('latin1')
  const refusal = pathRefusal(text)
  if (refusal !== null) throw new Rejection('bad-path', refusal)
  const version = readVector(wire.version, nowMs)
  const contentDot = readDot(wire.contentDot, { reason: 'bad-dot', nowMs })
  const metadataDot =
    wire.metadataDot === null ? contentDot : readDot(wire.metadataDot, { reason: 'bad-dot', nowMs })
  if (!coversDot(version, contentDot) || !coversDot(version, metadataDot)) {
    throw new Rejection('bad-dot', 'dot is not covered by its version')
  }
  if (wire.mode > modeBits) throw new Rejection('bad-mode', `mode ${wire.mode.toString(8)}`)
  const mtimeUs = readWhole(wire.mtimeUs, {
    lowest: Number.MIN_SAFE_INTEGER,
    reason: 'bad-mtime',
    name: 'mtime',
  })
  const path = parseRelativePath(text)
  return { path, version, contentDot, metadataDot, mode: wire.mode, mtimeUs }
}

function readKind(wire: Entry__Output, common: Common): Entry {
  if (wire.file) {
    const sizeBytes = readWhole(wire.file.sizeBytes, {
      lowest: 0,
      reason: 'bad-size',
      name: 'size',
    })
    return { kind: 'file', ...common, digest: readDigest(wire.file.digest), sizeBytes }
  }
  if (wire.directory) return { kind: 'directory', ...common }
  if (wire.symlink) return { kind: 'symlink', ...common, ...readTarget(wire.symlink) }
  if (wire.tombstone) return { kind: 'tombstone', ...common, ...readRemoved(wire.tombstone) }
  throw new Rejection('unknown-kind', 'entry of unknown kind')
}

function readTarget(symlink: Symlink__Output): { target: string; digest: Digest } {
  const { length } = symlink.target
  if (length === 0 || length > maxTargetBytes || symlink.target.includes(0)) {
    throw new Rejection('bad-target', `symlink target of ${length} bytes`)
  }
  const digest = readDigest(symlink.digest)
  if (digest !== createHash('sha256').update(symlink.target).digest('hex')) {
    throw new Rejection('bad-digest', 'digest is not that of the symlink target')
  }
  return { target: symlink.target.toString('latin1'), digest }
}

function readRemoved(
  tombstone: Tombstone__Output,
): Pick<Tombstone, 'removedKind' | 'removedDigest'> {
  const removedKind = removedKinds.find(({ wire }) => wire === tombstone.removedKind)?.kind
  if (removedKind === undefined) {
    throw new Rejection('unknown-kind', 'tombstone of an unknown kind')
  }
  if (removedKind !== 'directory') {
    return { removedKind, removedDigest: readDigest(tombstone.removedDigest) }
  }
  if (tombstone.removedDigest.length > 0) {
    throw new Rejection('bad-digest', 'digest of a directory')
  }
  return { removedKind, removedDigest: null }
}

function writeKind(entry: Entry): WireEntry {
  if (entry.kind === 'file') {
    return { file: { digest: hexBytes(entry.digest), sizeBytes: entry.sizeBytes } }
  }
  if (entry.kind === 'directory') return { directory: {} }
  if (entry.kind === 'symlink') {
    const target = Buffer.from(entry.target, 'latin1')
    return { symlink: { target, digest: hexBytes(entry.digest) } }
  }
  return {
    tombstone: {
      removedKind: removedKinds.find(({ kind }) => kind === entry.removedKind)?.wire ?? 0,
      removedDigest: hexBytes(entry.removedDigest ?? ''),
    },
  }
}

const removedKinds: readonly { kind: LiveKind; wire: RemovedKind & number }[] = [
  { kind: 'file', wire: RemovedKind.REMOVED_KIND_FILE },
  { kind: 'directory', wire: RemovedKind.REMOVED_KIND_DIRECTORY },
  { kind: 'symlink', wire: RemovedKind.REMOVED_KIND_SYMLINK },
]
