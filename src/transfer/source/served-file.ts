import { createHash } from 'node:crypto'
import type { Digest } from '../../core/digest.ts'
import { hasGrown, sameBytes, sameObservation, type Observation } from '../../core/observation.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import { errorCode } from '../../core/errors.ts'
import type { Catalogue } from '../../engine/ports.ts'

/** A file of the volume, open for reading. */
export interface OpenedFile {
  /** What the descriptor shows now. */
  look(): Observation | Promise<Observation>
  /** At most `maxBytes` from `position`, in `memory` where there is room; none at the end of the file. */
  read(position: number, maxBytes: number, memory?: Uint8Array): Uint8Array | Promise<Uint8Array>
  close(): void | Promise<void>
}

/** Opens files of the volume component by component, following no link. */
export interface FileReader {
  /**
   * Throws SyndError `superseded` when there is no regular file at `path` (a link in any component, a FIFO, nothing), `unreadable` or `io` when
   * it cannot be read. Never waits for a FIFO's writer.
   */
  open(path: RelativePath): OpenedFile | Promise<OpenedFile>
}

/** What was asked for: any version that the index has, or, by another Synd, one only. */
export interface ServedRequest {
  readonly path: RelativePath
  readonly version: { readonly sizeBytes: number; readonly digest: Digest } | null
}

export type Served =
  | { readonly kind: 'whole'; readonly observation: Observation; readonly bytes: Uint8Array }
  | {
      readonly kind: 'open'
      readonly observation: Observation
      readonly file: OpenedFile
      readonly digest: Digest
    }
  | { readonly kind: 'refused'; readonly reason: 'missing' | 'superseded' | 'unreadable' }

/** Up to this size a file is read whole before its header is sent, so that a change meanwhile costs nothing. */
export const maxWholeBytes = 128 * 1024

/** Read and hashed at once. */
const chunkBytes = 256 * 1024

/**
 * Opens what the catalogue lists at the path, and only if the disk still shows what the index knows of it, or that and more: of a log its start is
 * served. The change time may differ: links come and go; whoever asked compares the digest.
 */
export async function openServed(
  request: ServedRequest,
  { catalogue, reader }: { readonly catalogue: Catalogue; readonly reader: FileReader },
): Promise<Served> {
  const listed = catalogue.servable(request.path)
  if (listed === null || listed.entry.kind !== 'file') {
    return { kind: 'refused', reason: request.version === null ? 'missing' : 'superseded' }
  }
  const { entry } = listed
  const { version } = request
  if (
    version !== null &&
    (version.digest !== entry.digest || version.sizeBytes !== entry.sizeBytes)
  )
    return { kind: 'refused', reason: 'superseded' }
  let file: OpenedFile
  try {
    file = await reader.open(request.path)
  } catch (error) {
    return { kind: 'refused', reason: reasonOf(error, version === null) }
  }
  let isKept = false
  try {
    const now = await file.look()
    const isListed = sameBytes(now, listed.observation)
    const observation = isListed ? now : listed.observation
    const { digest } = entry
    const isHeld = isListed || (await startsWith(file, observation, digest))
    if (!isHeld || (version !== null && version.sizeBytes !== observation.sizeBytes))
      return { kind: 'refused', reason: 'superseded' }
    if (observation.sizeBytes > maxWholeBytes) {
      isKept = true
      return { kind: 'open', observation, file, digest }
    }
    const bytes = await readWhole(file, observation)
    return bytes !== null && (await isHeldStill({ file, observation, digest }))
      ? { kind: 'whole', observation, bytes }
      : { kind: 'refused', reason: 'superseded' }
  } catch (error) {
    return { kind: 'refused', reason: reasonOf(error, version === null) }
  } finally {
    if (!isKept) await file.close()
  }
}

/** Whether nothing at all happened to the file since it was opened, or something was appended and nothing else. */
export async function isHeldStill({
  file,
  observation,
  digest,
}: Omit<Extract<Served, { kind: 'open' }>, 'kind'>): Promise<boolean> {
  return (
    sameObservation(observation, await file.look()) || (await startsWith(file, observation, digest))
  )
}

/** The file grew since `before`, and its first bytes, as many as there were, are what they were. */
async function startsWith(file: OpenedFile, before: Observation, digest: Digest): Promise<boolean> {
  if (!hasGrown(before, await file.look())) return false
  const hash = createHash('sha256')
  const memory = Buffer.allocUnsafeSlow(Math.min(chunkBytes, before.sizeBytes))
  for (let at = 0; at < before.sizeBytes;) {
    const chunk = await file.read(at, Math.min(chunkBytes, before.sizeBytes - at), memory)
    if (chunk.length === 0) return false
    hash.update(chunk)
    at += chunk.length
  }
  return hash.digest('hex') === digest
}

async function readWhole(file: OpenedFile, observation: Observation): Promise<Uint8Array | null> {
  const { sizeBytes } = observation
  let bytes: Uint8Array = new Uint8Array()
  while (bytes.length < sizeBytes) {
    const chunk = await file.read(bytes.length, sizeBytes - bytes.length)
    if (chunk.length === 0) return null
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
  }
  return bytes
}

function reasonOf(error: unknown, isPlain: boolean): 'missing' | 'superseded' | 'unreadable' {
  const code = errorCode(error)
  if (code === 'superseded') return isPlain ? 'missing' : 'superseded'
  if (code === null) throw error
  return 'unreadable'
}
