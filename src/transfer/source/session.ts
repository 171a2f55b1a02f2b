import { SyndError } from '../../core/errors.ts'
import { nameOf, pathRefusal, parseRelativePath } from '../../core/relative-path.ts'
import type { Catalogue } from '../../engine/ports.ts'
import type { ExecRequest } from './exec-request.ts'
import { supersededText, type Operand } from '../operand.ts'
import { encodeFailure, encodeFile, encodeTimes } from '../scp-message.ts'
import { encodeName } from '../scp-name.ts'
import {
  isHeldStill,
  openServed,
  type FileReader,
  type Served,
  type ServedRequest,
} from './served-file.ts'
import type { SourceChannel } from './channel.ts'

export interface SessionParts {
  readonly catalogue: Catalogue
  readonly reader: FileReader
  /** A whole file was sent. */
  readonly served: (sizeBytes: number) => void
  /** An operand names what can never be served. */
  readonly refusedPath: () => void
}

type FileRequest = Exclude<ExecRequest, { readonly kind: 'refused' }>

/** One operand: what to open, or why not; `label` names it in what the caller gets to read. */
interface Asked {
  readonly label: string
  readonly request: ServedRequest | null
  readonly refusal: string
}

/** Files read ahead of the one that is sent; each of at most `maxWholeBytes`. */
const maxAhead = 8
/** Two of these a large file: one is read while the other is sent. */
const chunkBytes = 256 * 1024
const nothing = new Uint8Array()
/** A file that shrank is filled up as OpenSSH does, unless that is as much as this: then the exec ends. */
const maxFillBytes = 8 * 1024 * 1024

/**
 * Sends the files of one exec, in order (scp-message.ts). True when all of them were sent; a file that failed is told and does not stop the
 * others. Throws what the channel throws.
 */
export async function serveFiles(
  channel: SourceChannel,
  exec: FileRequest,
  parts: SessionParts,
): Promise<boolean> {
  const asked = exec.kind === 'scp' ? exec.operands.map(askPlain) : exec.operands.map(askVersion)
  const ahead: Promise<Served | null>[] = []
  let opened = 0
  const openNext = (): Promise<Served | null> => {
    while (opened < asked.length && ahead.length < maxAhead) {
      const request = asked[opened++]?.request ?? null
      const served = request === null ? Promise.resolve(null) : openServed(request, parts)
      // It is awaited in its turn; until then a failure is not unhandled.
      served.catch(() => undefined)
      ahead.push(served)
    }
    return ahead.shift() ?? Promise.resolve(null)
  }
  let isComplete = true
  try {
    if ((await channel.answer()) !== 'go-on') return false
    for (const { label, request, refusal } of asked) {
      const served = await openNext()
      if (request === null) parts.refusedPath()
      if (request === null || served === null || served.kind === 'refused') {
        const reason = served?.kind === 'refused' ? served.reason : null
        await channel.write(failure(exec.kind, label, reason, refusal))
        isComplete = false
        continue
      }
      const outcome = await sendFile(channel, { exec, label, request, served })
      if (outcome === 'stop') return false
      if (outcome === 'sent') parts.served(served.observation.sizeBytes)
      else isComplete = false
    }
    await channel.flush()
    return isComplete
  } finally {
    for (const served of ahead) void closeUnsent(served)
  }
}

async function sendFile(
  channel: SourceChannel,
  { exec, label, request, served }: Sending,
): Promise<'sent' | 'failed' | 'stop'> {
  const { observation } = served
  try {
    if (exec.sendsTimes) {
      await channel.write(latin1(encodeTimes(Number(observation.mtimeNs / 1_000_000_000n))))
      const answer = await channel.answer()
      if (answer !== 'go-on') return answer === 'skip' ? 'failed' : 'stop'
    }
    const name = encodeName(nameOf(request.path))
    const header = { mode: observation.mode, sizeBytes: observation.sizeBytes, name }
    await channel.write(latin1(encodeFile(header)))
    const answer = await channel.answer()
    if (answer !== 'go-on') return answer === 'skip' ? 'failed' : 'stop'
    const isRight =
      served.kind === 'whole'
        ? (await channel.write(served.bytes), true)
        : await sendContent(channel, served)
    await channel.write(isRight ? Buffer.of(0) : failure(exec.kind, label, 'superseded', ''))
    const last = await channel.answer()
    if (last === 'stop') return 'stop'
    return isRight && last === 'go-on' ? 'sent' : 'failed'
  } finally {
    if (served.kind === 'open') await served.file.close()
  }
}

interface Sending {
  readonly exec: FileRequest
  readonly label: string
  readonly request: ServedRequest
  readonly served: Exclude<Served, { readonly kind: 'refused' }>
}

/** Exactly as many bytes as the header said; false when they are not the file's any more. */
async function sendContent(
  channel: SourceChannel,
  served: Extract<Served, { kind: 'open' }>,
): Promise<boolean> {
  const { file } = served
  const { sizeBytes } = served.observation
  // New memory for each chunk would have V8 collect garbage all the time: it marks its whole heap for each 20 MB or so.
  let [memory, spare] = [Buffer.allocUnsafeSlow(chunkBytes), Buffer.allocUnsafeSlow(chunkBytes)]
  const readAt = async (at: number): Promise<Uint8Array> => {
    if (at >= sizeBytes) return nothing
    ;[memory, spare] = [spare, memory]
    return file.read(at, Math.min(chunkBytes, sizeBytes - at), memory)
  }
  let at = 0
  let chunk = await readAt(0)
  while (chunk.length > 0) {
    at += chunk.length
    const reading = readAt(at)
    const settled = reading.catch(() => nothing)
    try {
      await channel.send(chunk)
    } finally {
      // The caller closes the file, and not under a read.
      await settled
    }
    chunk = await reading
  }
  if (at === sizeBytes) return isHeldStill(served)
  if (sizeBytes - at > maxFillBytes) throw shrunk()
  const zeros = Buffer.alloc(chunkBytes)
  for (; at < sizeBytes; at += zeros.length)
    await channel.send(zeros.subarray(0, Math.min(zeros.length, sizeBytes - at)))
  return false
}

function askPlain(operand: string): Asked {
  const path = operand.startsWith('/') ? operand.slice(1) : operand
  const refusal = pathRefusal(path)
  const request = refusal === null ? { path: parseRelativePath(path), version: null } : null
  return { label: operand, request, refusal: refusal ?? '' }
}

function askVersion({ path, sizeBytes, digest }: Operand): Asked {
  return { label: path, request: { path, version: { sizeBytes, digest } }, refusal: '' }
}

function failure(
  kind: FileRequest['kind'],
  label: string,
  reason: 'missing' | 'superseded' | 'unreadable' | null,
  refusal: string,
): Buffer {
  if (kind === 'synd-scp')
    return latin1(encodeFailure(reason === 'unreadable' ? 'synd-scp: unreadable' : supersededText))
  const words = {
    missing: 'No such file or directory',
    superseded: 'the file is being changed',
    unreadable: 'the file cannot be read',
  }
  return latin1(
    encodeFailure(`scp: ${label}: ${reason === null ? `refused: ${refusal}` : words[reason]}`),
  )
}

async function closeUnsent(served: Promise<Served | null>): Promise<void> {
  const unsent = await served.catch(() => null)
  if (unsent?.kind === 'open') await unsent.file.close()
}

function shrunk(): SyndError {
  return new SyndError('superseded', 'the file shrank while it was sent')
}

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}
