import {
  protocolVersions,
  type Hello,
  type HelloAnswer,
  type Recorded,
  type SyncMode,
} from '../core/protocol.ts'
import type { HelloRequest__Output } from './generated/synd/v1/HelloRequest.ts'
import type { HelloResponse__Output } from './generated/synd/v1/HelloResponse.ts'
import type { Introduction, Introduction__Output } from './generated/synd/v1/Introduction.ts'
import { ListsCaller } from './generated/synd/v1/ListsCaller.ts'
import { Mode } from './generated/synd/v1/Mode.ts'
import { proto } from './proto.ts'
import { Rejection } from './rejection.ts'
import { readSource, writeSource } from './wire-source.ts'
import { hexBytes, readEpoch, readPeerId, readWhole } from './wire-value.ts'

const reason = 'malformed-hello'

/** 256 records take 8 KB; decoding something much larger would cost memory for nothing. */
const maxHelloBytes = 64 * 1024
const maxRecorded = 256
const maxVersions = 64
const maxNameLength = 255
const sessionBytes = 16

/** A new session's key: what ties the stream to the Hello before it. */
export type Session = Buffer

export function encodeHello(hello: Hello): Buffer {
  return proto().HelloRequest.serialize({ introduction: writeIntroduction(hello) })
}

/** Throws a Rejection, `protocol-version` when the versions have none in common with ours. */
export function decodeHello(message: Buffer): Hello {
  return readIntroduction(deserializeRequest(message).introduction)
}

export function encodeAnswer(answer: HelloAnswer, session: Session): Buffer {
  return proto().HelloResponse.serialize({
    introduction: writeIntroduction(answer),
    listsCaller: wireLists[answer.listsCaller],
    session,
  })
}

/** Throws a Rejection, as `decodeHello`. */
export function decodeAnswer(message: Buffer): { answer: HelloAnswer; session: Session } {
  const wire = deserializeResponse(message)
  if (wire.session.length !== sessionBytes) {
    throw new Rejection(reason, `session of ${wire.session.length} bytes`)
  }
  const answer = { ...readIntroduction(wire.introduction), listsCaller: listsOf(wire.listsCaller) }
  return { answer, session: wire.session }
}

function writeIntroduction(hello: Hello): Introduction {
  return {
    protocolVersions: [...hello.protocolVersions],
    peerId: hexBytes(hello.peerId),
    epoch: hexBytes(hello.epoch),
    name: hello.name,
    mode: wireModes[hello.mode],
    joining: hello.joining,
    recorded: hello.recorded.slice(0, maxRecorded).map((recorded) => ({
      peerId: hexBytes(recorded.peerId),
      epoch: hexBytes(recorded.epoch),
      sequence: recorded.sequence,
    })),
    source: writeSource(hello.source),
  }
}

function readIntroduction(wire: Introduction__Output | null): Hello {
  if (wire === null) throw new Rejection(reason, 'no introduction')
  const versions = wire.protocolVersions
  if (versions.length > maxVersions || wire.recorded.length > maxRecorded) {
    throw new Rejection(reason, 'too many versions or records')
  }
  if (!versions.some((version) => protocolVersions.includes(version))) {
    throw new Rejection(
      'protocol-version',
      `no protocol version in common: theirs ${versions.join(', ')}, ours ${protocolVersions.join(', ')}`,
    )
  }
  return {
    protocolVersions: versions,
    peerId: readPeerId(wire.peerId, reason),
    epoch: readEpoch(wire.epoch, reason),
    name: cleanName(wire.name),
    mode: modeOf(wire.mode),
    joining: wire.joining,
    recorded: wire.recorded.map((recorded): Recorded => ({
      peerId: readPeerId(recorded.peerId, reason),
      epoch: readEpoch(recorded.epoch, reason),
      sequence: readWhole(recorded.sequence, { lowest: 0, reason, name: 'sequence' }),
    })),
    source: readSource(wire.source),
  }
}

/** For people: logs, metrics and terminals show it, so control characters go. */
function cleanName(name: string): string {
  return name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '?').slice(0, maxNameLength)
}

const wireModes: Record<SyncMode, Mode & number> = {
  'send-receive': Mode.MODE_SEND_RECEIVE,
  'send-only': Mode.MODE_SEND_ONLY,
  'receive-only': Mode.MODE_RECEIVE_ONLY,
}

function modeOf(mode: number): SyncMode {
  if (mode === Mode.MODE_SEND_RECEIVE) return 'send-receive'
  if (mode === Mode.MODE_SEND_ONLY) return 'send-only'
  if (mode === Mode.MODE_RECEIVE_ONLY) return 'receive-only'
  throw new Rejection(reason, `mode ${mode}`)
}

const wireLists: Record<HelloAnswer['listsCaller'], ListsCaller & number> = {
  unknown: ListsCaller.LISTS_CALLER_UNKNOWN,
  yes: ListsCaller.LISTS_CALLER_YES,
  no: ListsCaller.LISTS_CALLER_NO,
}

function listsOf(lists: number): HelloAnswer['listsCaller'] {
  if (lists === ListsCaller.LISTS_CALLER_YES) return 'yes'
  return lists === ListsCaller.LISTS_CALLER_NO ? 'no' : 'unknown'
}

function deserializeRequest(message: Buffer): HelloRequest__Output {
  return deserializing(message, () => proto().HelloRequest.deserialize(message))
}

function deserializeResponse(message: Buffer): HelloResponse__Output {
  return deserializing(message, () => proto().HelloResponse.deserialize(message))
}

function deserializing<T>(message: Buffer, deserialize: () => T): T {
  if (message.length > maxHelloBytes) {
    throw new Rejection(reason, `introduction of ${message.length} bytes`)
  }
  try {
    return deserialize()
  } catch (error) {
    throw new Rejection(reason, error instanceof Error ? error.message : String(error))
  }
}
