import { errorCode, SyndError } from '../../core/errors.ts'
import type { Pulled, PullRequest, Stage } from '../../engine/ports.ts'

/** One file on its way from the channel to its stage. */
export interface IncomingFile {
  /** The stage is finished, or gone. Rejects with what `abandon` was given. */
  readonly result: Promise<Pulled>
  /** The stage failed: what else comes of the file is of no use. */
  isLost(): boolean
  /** The chunk must not change any more. */
  push(chunk: Uint8Array): void
  /** All bytes are there. */
  end(): void
  /** Drops the stage: the file could not be had, and this is the result. */
  fail(result: Pulled): void
  /** Drops the stage: nothing is known of the file. */
  abandon(error: Error): void
}

/** Stages several files at once, so that the disk works on some while others arrive. */
export interface StagingLine {
  begin(request: PullRequest): IncomingFile
  /** No more should be pushed until `onRoom`. */
  isFull(): boolean
}

export interface StagingOptions {
  readonly createStage: (request: PullRequest) => Promise<Stage>
  /** A file's content was not what was announced. */
  readonly mismatched: (text: string) => void
  /** Called when the line is full no longer. */
  readonly onRoom: () => void
}

/** Files that are being created, written or synced at the same time. */
const maxFiles = 32
/** Bytes that arrived and are not written yet, all files together. */
const maxWaitingBytes = 4 * 1024 * 1024

type Verdict =
  | { readonly kind: 'ended' }
  | { readonly kind: 'failed'; readonly result: Pulled }
  | { readonly kind: 'abandoned'; readonly error: Error }

interface FileState {
  verdict: Verdict | null
  /** Settled: nothing more is taken. */
  isLost: boolean
  /** Arrived and not written. */
  waitingBytes: number
  wake: () => void
}

export function createStagingLine(options: StagingOptions): StagingLine {
  let files = 0
  let waitingBytes = 0

  const isFull = (): boolean => files >= maxFiles || waitingBytes >= maxWaitingBytes

  function count(change: { files: number; bytes: number }): void {
    const wasFull = isFull()
    files += change.files
    waitingBytes += change.bytes
    if (wasFull && !isFull()) options.onRoom()
  }

  function begin(request: PullRequest): IncomingFile {
    const chunks: Uint8Array[] = []
    const state: FileState = {
      verdict: null,
      isLost: false,
      waitingBytes: 0,
      wake: () => undefined,
    }

    function countBytes(bytes: number): void {
      state.waitingBytes += bytes
      count({ files: 0, bytes })
    }

    /** The next bytes to write, or how it ended once all are written. */
    async function next(): Promise<Uint8Array | Verdict> {
      while (chunks.length === 0 && state.verdict === null)
        await new Promise<void>((resolve) => {
          state.wake = resolve
        })
      const { verdict } = state
      if (verdict !== null && verdict.kind !== 'ended') return verdict
      return chunks.shift() ?? { kind: 'ended' }
    }

    async function fill(stage: Stage): Promise<Pulled> {
      for (let part = await next(); ; part = await next()) {
        if (part instanceof Uint8Array) {
          await stage.write(part)
          countBytes(-part.length)
        } else if (part.kind === 'ended') {
          await stage.finish()
          return { kind: 'pulled', stage }
        } else {
          await stage.discard()
          if (part.kind === 'abandoned') throw part.error
          return part.result
        }
      }
    }

    async function stageFile(): Promise<Pulled> {
      let stage: Stage | null = null
      try {
        stage = await options.createStage(request)
        return await fill(stage)
      } catch (error) {
        state.isLost = true
        if (stage !== null) await stage.discard()
        if (state.verdict?.kind === 'abandoned') throw state.verdict.error
        if (errorCode(error) === 'digest-mismatch') options.mismatched(messageOf(error))
        return failureOf(error)
      } finally {
        state.isLost = true
        countBytes(-state.waitingBytes)
        count({ files: -1, bytes: 0 })
      }
    }

    const decide = (verdict: Verdict): void => {
      state.verdict ??= verdict
      state.wake()
    }
    count({ files: 1, bytes: 0 })
    const result = stageFile()
    // Whoever pulls awaits it in its turn.
    result.catch(() => undefined)
    return {
      result,
      isLost: () => state.isLost,
      push: (chunk) => {
        if (state.isLost) return
        chunks.push(chunk)
        countBytes(chunk.length)
        state.wake()
      },
      end: () => decide({ kind: 'ended' }),
      fail: (failed) => decide({ kind: 'failed', result: failed }),
      abandon: (error) => decide({ kind: 'abandoned', error }),
    }
  }

  return { begin, isFull }
}

/** What a stage's error means for the file; anything but a SyndError is a bug and thrown. */
export function failureOf(error: unknown): Pulled {
  if (!(error instanceof SyndError)) throw error
  const code = errorCode(error)
  if (code === 'digest-mismatch')
    return { kind: 'failed', code: 'source-mismatch', message: error.message }
  if (code === 'no-space') return { kind: 'failed', code: 'disk-full', message: error.message }
  return { kind: 'failed', code: 'pull-failed', message: error.message }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
