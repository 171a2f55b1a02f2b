import type { Outcome, OutcomeRange, Reply } from '../core/protocol.ts'
import { Outcome as WireOutcome } from './generated/synd/v1/Outcome.ts'
import type { OutcomeRange__Output } from './generated/synd/v1/OutcomeRange.ts'
import type { Reply as WireReply, Reply__Output } from './generated/synd/v1/Reply.ts'
import { proto } from './proto.ts'
import { Rejection, type Rejected } from './rejection.ts'
import { readWhole } from './wire-value.ts'

/** At most this many ranges a message, so that a reply stays below 100 KB. */
const maxRanges = 1000

/** Codes are our own words; what does not look like one is not passed on to logs and metrics. */
const codePattern = /^[a-z0-9-]{1,40}$/

/** The reply as messages; an acknowledgement of many ranges takes several. */
export function encodeReply(reply: Reply): Buffer[] {
  if (reply.kind === 'settled') return [serialize({ settled: { sequence: reply.sequence } })]
  if (reply.kind === 'diverged') return [serialize({ diverged: { paths: reply.paths } })]
  const { recordedUpTo, ranges } = reply
  const messages: Buffer[] = []
  let rest = ranges
  do {
    messages.push(
      serialize({
        acknowledgement: { recordedUpTo, ranges: rest.slice(0, maxRanges).map(writeRange) },
      }),
    )
    rest = rest.slice(maxRanges)
  } while (rest.length > 0)
  return messages
}

/** The reply in one message, null for a kind that this version does not know. Throws a Rejection for what is malformed. */
export function decodeReply(message: Buffer, rejected: Rejected): Reply | null {
  const wire = deserialize(message)
  if (wire.acknowledgement) {
    const { recordedUpTo, ranges } = wire.acknowledgement
    if (ranges.length > maxRanges) {
      throw new Rejection('malformed-message', `acknowledgement of ${ranges.length} ranges`)
    }
    return {
      kind: 'acknowledgement',
      recordedUpTo: readNumber(recordedUpTo, 0),
      ranges: ranges.map(readRange),
    }
  }
  if (wire.settled) return { kind: 'settled', sequence: readNumber(wire.settled.sequence, 0) }
  if (wire.diverged)
    return { kind: 'diverged', paths: readNumber(wire.diverged.paths, 0, 'number of paths') }
  rejected('grpc', 'unknown-kind')
  return null
}

function writeRange({ from, to, outcome }: OutcomeRange): {
  first: number
  last: number
  outcome: WireOutcome
  code: string
} {
  const code = outcome.kind === 'failed' || outcome.kind === 'refused' ? outcome.code : ''
  return { first: from, last: to, outcome: wireOutcomes[outcome.kind], code }
}

function readRange(wire: OutcomeRange__Output): OutcomeRange {
  const from = readNumber(wire.first, 1)
  const to = readNumber(wire.last, from)
  const code = codePattern.test(wire.code) ? wire.code : 'unknown'
  return { from, to, outcome: readOutcome(wire.outcome, code) }
}

function readOutcome(outcome: number, code: string): Outcome {
  if (outcome === WireOutcome.OUTCOME_APPLIED) return { kind: 'applied' }
  if (outcome === WireOutcome.OUTCOME_NOT_WANTED) return { kind: 'not-wanted' }
  if (outcome === WireOutcome.OUTCOME_REFUSED) return { kind: 'refused', code }
  // An outcome that a later version has is at least not known to be a success.
  return { kind: 'failed', code }
}

const wireOutcomes = {
  applied: WireOutcome.OUTCOME_APPLIED,
  'not-wanted': WireOutcome.OUTCOME_NOT_WANTED,
  failed: WireOutcome.OUTCOME_FAILED,
  refused: WireOutcome.OUTCOME_REFUSED,
} as const

function serialize(reply: WireReply): Buffer {
  return proto().Reply.serialize(reply)
}

function deserialize(message: Buffer): Reply__Output {
  try {
    return proto().Reply.deserialize(message)
  } catch (error) {
    throw new Rejection('malformed-message', error instanceof Error ? error.message : String(error))
  }
}

function readNumber(text: string, lowest: number, name = 'sequence'): number {
  return readWhole(text, { lowest, reason: 'malformed-message', name })
}
