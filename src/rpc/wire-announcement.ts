import {
  maxAnnouncementBytes,
  maxAnnouncementEntries,
  type Announcement,
  type RefusedEntry,
  type Sequence,
  type SequencedEntry,
} from '../core/protocol.ts'
import type { Entry__Output } from './generated/synd/v1/Entry.ts'
import { proto } from './proto.ts'
import { bytesField, fieldsOf, varintField } from './protobuf-fields.ts'
import { Rejection, type Rejected } from './rejection.ts'
import { readEntry, writeEntry } from './wire-entry.ts'

/** Field numbers of synd.proto. */
const announcementFields = { entries: 1, upTo: 2, head: 3 } as const
const entryFields = { sequence: 1, last: 11 } as const

/** Path, link target and 256 components of a version take 14 KB; what is larger holds something else. */
const maxEntryBytes = 32 * 1024

/** Room that the fields besides the entries take. */
const envelopeBytes = 64

/** The announcement as messages, each within the limits of entries and bytes; at least one. */
export function encodeAnnouncement(announcement: Announcement): Buffer[] {
  const { entries, upTo, head } = announcement
  const messages: Buffer[] = []
  let parts: Buffer[] = []
  let count = 0
  let bytes = envelopeBytes
  let last: Sequence = 0
  for (const sequenced of entries) {
    const field = bytesField(
      announcementFields.entries,
      proto().Entry.serialize(writeEntry(sequenced)),
    )
    const fieldBytes = field.reduce((sum, part) => sum + part.length, 0)
    if (count === maxAnnouncementEntries || bytes + fieldBytes > maxAnnouncementBytes) {
      messages.push(seal(parts, { upTo: last, head }))
      parts = []
      count = 0
      bytes = envelopeBytes
    }
    parts.push(...field)
    count++
    bytes += fieldBytes
    last = sequenced.sequence
  }
  messages.push(seal(parts, { upTo, head }))
  return messages
}

/**
 * The announcement in one message. Entries that are malformed are left out, counted, and named with their sequence, to be acknowledged as
 * refused. Throws a Rejection for a message that is too large or no announcement.
 */
export function decodeAnnouncement(
  message: Buffer,
  { nowMs, rejected }: { nowMs: number; rejected: Rejected },
): Announcement {
  const { encoded, upTo, head, hasUnknown } = takeApart(message)
  if (hasUnknown) rejected('grpc', 'unknown-field')
  const entries: SequencedEntry[] = []
  const refused: RefusedEntry[] = []
  let last: Sequence = 0
  for (const bytes of encoded) {
    const { sequence, hasUnknownFields } = inspect(bytes)
    if (hasUnknownFields) rejected('grpc', 'unknown-field')
    if (sequence === null || sequence <= last || sequence > upTo) {
      rejected('grpc', 'bad-sequence')
      continue
    }
    last = sequence
    try {
      entries.push(readEntry(deserializeEntry(bytes), nowMs))
    } catch (error) {
      if (!(error instanceof Rejection)) throw error
      rejected('grpc', error.reason)
      refused.push({ sequence, code: error.reason })
    }
  }
  return { entries, upTo, head, refused }
}

function takeApart(message: Buffer): {
  encoded: readonly Buffer[]
  upTo: Sequence
  head: Sequence
  hasUnknown: boolean
} {
  if (message.length > maxAnnouncementBytes) {
    throw new Rejection('oversize-batch', `announcement of ${message.length} bytes`)
  }
  const encoded: Buffer[] = []
  let upTo = 0
  let head = 0
  let hasUnknown = false
  for (const { number, bytes, value } of fieldsOf(message)) {
    if (number === announcementFields.entries && bytes !== null) {
      encoded.push(bytes)
      if (encoded.length > maxAnnouncementEntries) {
        throw new Rejection(
          'oversize-batch',
          `announcement of more than ${maxAnnouncementEntries} entries`,
        )
      }
    } else if (number === announcementFields.upTo && value !== null) upTo = value
    else if (number === announcementFields.head && value !== null) head = value
    else hasUnknown = true
  }
  if (!Number.isSafeInteger(upTo) || !Number.isSafeInteger(head)) {
    throw new Rejection('malformed-message', 'announcement with a sequence over 2^53')
  }
  return { encoded, upTo, head, hasUnknown }
}

/** The sequence of an encoded entry, null where there is none to be had. */
function inspect(bytes: Buffer): { sequence: Sequence | null; hasUnknownFields: boolean } {
  let sequence: number | null = null
  let hasUnknownFields = false
  try {
    for (const { number, value } of fieldsOf(bytes)) {
      if (number === entryFields.sequence) sequence = value
      hasUnknownFields ||= number > entryFields.last
    }
  } catch {
    // Not well-formed; the decoder says so again if what came before was a sequence.
  }
  const isSequence = sequence !== null && Number.isSafeInteger(sequence) && sequence > 0
  return { sequence: isSequence ? sequence : null, hasUnknownFields }
}

function deserializeEntry(bytes: Buffer): Entry__Output {
  if (bytes.length > maxEntryBytes) {
    throw new Rejection('oversize-entry', `entry of ${bytes.length} bytes`)
  }
  try {
    return proto().Entry.deserialize(bytes)
  } catch (error) {
    throw new Rejection('malformed-entry', error instanceof Error ? error.message : String(error))
  }
}

function seal(
  parts: readonly Buffer[],
  { upTo, head }: { upTo: Sequence; head: Sequence },
): Buffer {
  return Buffer.concat([
    ...parts,
    ...varintField(announcementFields.upTo, upTo),
    ...varintField(announcementFields.head, head),
  ])
}
