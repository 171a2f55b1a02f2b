import type { SQLInputValue } from 'node:sqlite'

import { type Digest, parseDigest } from '../core/digest.ts'
import type { DirectoryEntry, Entry, Kind, LiveKind } from '../core/entry.ts'
import { SyndError } from '../core/errors.ts'
import type { Observation } from '../core/observation.ts'
import { parseRelativePath, type RelativePath } from '../core/relative-path.ts'
import { formatDot, formatVector, parseDot, parseVector, vectorOf } from '../core/version-vector.ts'
import {
  bigIntegerIn,
  bigIntegerValue,
  hexIn,
  hexValue,
  integerIn,
  isNull,
  latin1In,
  latin1Value,
  type Row,
  textIn,
} from './column.ts'

/** The columns of an entry beside its path, the same in every table that holds entries; the order of `entryValues`. */
export const entryColumns = [
  'kind',
  'digest',
  'size_bytes',
  'target',
  'removed_kind',
  'removed_digest',
  'mode',
  'mtime_us',
  'version',
  'content_dot',
  'metadata_dot',
] as const

/** The columns of an observation, all null where there is none; the order of `observationValues`. */
export const observationColumns = [
  'seen_kind',
  'seen_mode',
  'seen_mtime_ns',
  'seen_ctime_ns',
  'seen_size_bytes',
  'seen_inode',
  'seen_device',
] as const

export function entryValues(entry: Entry): SQLInputValue[] {
  return [
    entry.kind,
    'digest' in entry ? hexValue(entry.digest) : null,
    entry.kind === 'file' ? entry.sizeBytes : null,
    entry.kind === 'symlink' ? latin1Value(entry.target) : null,
    entry.kind === 'tombstone' ? entry.removedKind : null,
    entry.kind === 'tombstone' && entry.removedDigest !== null
      ? hexValue(entry.removedDigest)
      : null,
    entry.mode,
    entry.mtimeUs,
    formatVector(entry.version),
    formatDot(entry.contentDot),
    formatDot(entry.metadataDot),
  ]
}

/** The column `path`; throws `store-damaged` or `bad-path`. */
export function parsePath(row: Row): RelativePath {
  return parseRelativePath(latin1In(row, 'path'))
}

/** Inverse of `entryValues`; throws `store-damaged` or `bad-entry`. */
export function parseEntry(row: Row, path: RelativePath): Entry {
  const content = textIn(row, 'content_dot')
  const metadata = textIn(row, 'metadata_dot')
  const version = textIn(row, 'version')
  const contentDot = parseDot(content)
  return parseByKind[parseKind(textIn(row, 'kind'))](row, {
    path,
    // Of most entries all three are the dot of one write.
    version: version === content ? vectorOf(contentDot) : parseVector(version),
    contentDot,
    metadataDot: metadata === content ? contentDot : parseDot(metadata),
    mode: integerIn(row, 'mode', { from: 0, to: 0o777 }),
    mtimeUs: integerIn(row, 'mtime_us'),
  })
}

export function observationValues(observation: Observation | null): SQLInputValue[] {
  if (observation === null) return observationColumns.map(() => null)
  return [
    observation.kind,
    observation.mode,
    bigIntegerValue(observation.mtimeNs),
    bigIntegerValue(observation.ctimeNs),
    observation.sizeBytes,
    bigIntegerValue(observation.inode),
    bigIntegerValue(observation.device),
  ]
}

/** Inverse of `observationValues`; throws `store-damaged`. */
export function parseObservation(row: Row): Observation | null {
  if (isNull(row, 'seen_kind')) return null
  return {
    kind: parseLiveKind(textIn(row, 'seen_kind')),
    mode: integerIn(row, 'seen_mode', { from: 0, to: 0o7777 }),
    mtimeNs: bigIntegerIn(row, 'seen_mtime_ns'),
    ctimeNs: bigIntegerIn(row, 'seen_ctime_ns'),
    sizeBytes: integerIn(row, 'seen_size_bytes', { from: 0 }),
    inode: bigIntegerIn(row, 'seen_inode'),
    device: bigIntegerIn(row, 'seen_device'),
  }
}

/** What every kind of entry has. */
type Versioned = Omit<DirectoryEntry, 'kind'>

const parseByKind: Readonly<Record<Kind, (row: Row, versioned: Versioned) => Entry>> = {
  file: (row, versioned) => ({
    ...versioned,
    kind: 'file',
    digest: digestIn(row, 'digest'),
    sizeBytes: integerIn(row, 'size_bytes', { from: 0 }),
  }),
  directory: (_row, versioned) => ({ ...versioned, kind: 'directory' }),
  symlink: (row, versioned) => ({
    ...versioned,
    kind: 'symlink',
    digest: digestIn(row, 'digest'),
    target: parseTarget(latin1In(row, 'target')),
  }),
  tombstone: (row, versioned) => ({
    ...versioned,
    kind: 'tombstone',
    removedKind: parseLiveKind(textIn(row, 'removed_kind')),
    removedDigest: isNull(row, 'removed_digest') ? null : digestIn(row, 'removed_digest'),
  }),
}

const liveKinds: readonly LiveKind[] = ['file', 'directory', 'symlink']

function parseLiveKind(text: string): LiveKind {
  const kind = liveKinds.find((known) => known === text)
  if (kind === undefined)
    throw new SyndError('store-damaged', `unknown kind of ${text.length} chars`)
  return kind
}

function parseKind(text: string): Kind {
  return text === 'tombstone' ? text : parseLiveKind(text)
}

function digestIn(row: Row, column: string): Digest {
  return parseDigest(hexIn(row, column))
}

function parseTarget(text: string): string {
  if (text.length === 0 || text.length > 4095 || text.includes('\0'))
    throw new SyndError('store-damaged', `link text of ${text.length} bytes`)
  return text
}
