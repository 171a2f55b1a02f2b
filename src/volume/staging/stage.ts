import type { Digest } from '../../core/digest.ts'
import { SyndError } from '../../core/errors.ts'
import { errnoOf, type Disk, type DiskPath, type WritableFile } from '../disk.ts'
import { sha256, startSha256, type Sha256 } from '../sha256.ts'
import { writeError } from '../write-error.ts'
import { writeRuns } from '../write-runs.ts'

/** What a stage will hold, and what it will be published with when that is known already. */
export interface StageExpectation {
  readonly sizeBytes: number
  readonly digest: Digest
  readonly metadata?: Metadata
}

/** A stage whose file another thread writes, from its start. */
export interface SharedStage {
  readonly fd: number
  /** In place of `FileStage.finish`; the thread must be done with `fd`. */
  finish(content: { readonly sizeBytes: number; readonly digest: Digest }): Promise<void>
}

/** Mode (0777 only) and mtime of a file entry. */
export interface Metadata {
  readonly mode: number
  readonly mtimeUs: number
}

export interface StageOptions {
  readonly disk: Disk
  /** Where in `.synd/staging` the file is to be. */
  readonly path: DiskPath
  readonly expected: StageExpectation
  /** Durability full: `bringToDisk` returns when the bytes are on the disk. */
  readonly isDurable: boolean
  readonly keepsModes: boolean
  /** The file is there already, verified, complete and on the disk. */
  readonly isWhole?: boolean
}

/** Up to this size a file is collected in memory and touches the disk only once it is verified. */
const smallBytes = 256 * 1024

/** Chunks of larger files are joined to writes of this size: one hop to a thread for eight packets of SSH. */
const writeBytes = 256 * 1024

/**
 * A file being received: collected, counted, hashed, and after `finish()` a whole file of the expected content in staging that
 * `apply` gives its name once it is on the disk. Errors are SyndErrors `digest-mismatch`, `no-space` and `io`; after one the stage is gone.
 */
export class FileStage {
  readonly path: DiskPath
  readonly expected: StageExpectation
  readonly #options: StageOptions
  /** Of what was flushed; a small file is hashed in one go. */
  #hash: Sha256 | null = null
  #buffer: Uint8Array
  #buffered = 0
  /** The other of two buffers: it is being written, or free. */
  #spare: Uint8Array | null = null
  #receivedBytes = 0
  #file: WritableFile | null = null
  /** The write before this one; whoever waits for it sees its failure. */
  #writing: Promise<void> = Promise.resolve()
  #state: 'open' | 'finished' | 'gone' = 'open'
  #isOnDisk = false

  constructor(options: StageOptions) {
    this.#options = options
    this.path = options.path
    this.expected = options.expected
    this.#buffer = new Uint8Array(
      options.isWhole === true ? 0 : Math.min(options.expected.sizeBytes, writeBytes),
    )
    if (options.isWhole !== true) return
    this.#state = 'finished'
    this.#isOnDisk = true
  }

  /** Whether the file is verified and waits for its name. */
  get isFinished(): boolean {
    return this.#state === 'finished'
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#demand('open')
    this.#receivedBytes += chunk.length
    if (this.#receivedBytes > this.expected.sizeBytes) {
      await this.discard()
      const message = `more than the ${this.expected.sizeBytes} bytes that were announced`
      throw new SyndError('digest-mismatch', message)
    }
    for (let start = 0; start < chunk.length;) {
      if (this.#buffered === this.#buffer.length) await this.#flush()
      const part = chunk.subarray(start, start + this.#buffer.length - this.#buffered)
      this.#buffer.set(part, this.#buffered)
      this.#buffered += part.length
      start += part.length
    }
  }

  async finish(): Promise<void> {
    this.#demand('open')
    const { sizeBytes } = this.expected
    const isSmall = sizeBytes <= smallBytes && this.#file === null
    if (!isSmall) await this.#flush()
    const digest = this.#hash === null ? sha256(this.#collected()) : this.#hash.digest()
    const unwritten = isSmall ? this.#collected() : null
    await this.#complete({ sizeBytes: this.#receivedBytes, digest }, unwritten)
  }

  /** Null on a disk without descriptors. */
  share(): SharedStage | null {
    this.#demand('open')
    const { fd } = this.#openedOrThrown()
    if (fd === null) return null
    this.#dropBuffers()
    return {
      fd,
      finish: async (content) => {
        this.#demand('open')
        await this.#complete(content, null)
      },
    }
  }

  async #complete(
    received: { readonly sizeBytes: number; readonly digest: Digest },
    /** What was collected of a small file; null: all of it is in the file. */
    unwritten: Uint8Array | null,
  ): Promise<void> {
    const { sizeBytes, digest } = this.expected
    if (received.sizeBytes !== sizeBytes || received.digest !== digest) {
      await this.discard()
      const message = `${received.sizeBytes} bytes came with digest ${received.digest}; announced were ${sizeBytes} with ${digest}`
      throw new SyndError('digest-mismatch', message)
    }
    await this.#orGone(async () => {
      const file = await this.#created()
      if (unwritten !== null && sizeBytes > 0) await writeRuns(file, unwritten)
      await this.#writing
      dress(file, this.#options)
    })
    this.#dropBuffers()
    this.#state = 'finished'
    // Of small files many are brought to the disk together.
    if (unwritten === null || !this.#options.isDurable) await this.bringToDisk()
  }

  /** Syncs a finished file, the first time; only then it may get its name. Harmless when it is gone. */
  async bringToDisk(): Promise<void> {
    const file = this.#file
    if (this.#state === 'gone' || file === null) return
    await this.#orGone(async () => {
      if (this.#options.isDurable) await file.sync()
    })
    this.#close()
  }

  async discard(): Promise<void> {
    if (this.#state === 'gone') return
    this.#state = 'gone'
    await this.#writing.catch(() => undefined)
    this.#dropBuffers()
    this.#close()
    if (this.#isOnDisk) removeIfThere(this.#options.disk, this.path)
  }

  /** `apply` gave the file its name: there is nothing left to discard. */
  published(): void {
    this.#state = 'gone'
  }

  #close(): void {
    this.#file?.close()
    this.#file = null
  }

  #dropBuffers(): void {
    this.#buffer = new Uint8Array()
    this.#spare = null
  }

  #demand(state: 'open'): void {
    if (this.#state !== state) throw new Error(`the stage is ${this.#state}`)
  }

  #collected(): Uint8Array {
    return this.#buffer.subarray(0, this.#buffered)
  }

  /** Hands the buffer to the disk and takes another one: receiving goes on while the one before is written. */
  async #flush(): Promise<void> {
    const full = this.#collected()
    this.#hash ??= startSha256()
    this.#hash.update(full)
    await this.#orGone(async () => {
      await this.#writing
      const free = this.#spare ?? new Uint8Array(this.#buffer.length)
      this.#spare = this.#buffer
      this.#buffer = free
      this.#buffered = 0
      this.#writing = writeRuns(this.#opened(), full)
      void this.#writing.catch(() => undefined)
    })
  }

  async #created(): Promise<WritableFile> {
    this.#file ??= await this.#options.disk.createMeanwhile(this.path, 0o600)
    this.#isOnDisk = true
    return this.#file
  }

  #opened(): WritableFile {
    const { disk } = this.#options
    this.#file ??= disk.together(() => disk.create(this.path, 0o600))
    this.#isOnDisk = true
    return this.#file
  }

  #openedOrThrown(): WritableFile {
    try {
      return this.#opened()
    } catch (error) {
      throw stageError(error)
    }
  }

  async #orGone(step: () => Promise<void>): Promise<void> {
    try {
      await step()
    } catch (error) {
      await this.discard()
      throw stageError(error)
    }
  }
}

/** Gives a whole file in staging what it is published with, as far as known. */
export function dress(
  file: WritableFile,
  { expected, keepsModes }: Pick<StageOptions, 'expected' | 'keepsModes'>,
): void {
  const { metadata } = expected
  if (metadata === undefined) return
  if (keepsModes) file.setMode(metadata.mode & 0o777)
  file.setMtime(metadata.mtimeUs)
}

/** What receiving a file failed with: `no-space` or `io`, both worth another try; anything but a DiskError as it is. */
export function stageError(error: unknown): unknown {
  return writeError(error, ({ errno, isFull }) =>
    isFull ? 'no room on the volume' : `staging failed (${errno})`,
  )
}

/** Unlinks what may be gone already; what cannot be unlinked is swept at the next start. */
export function removeIfThere(disk: Disk, path: DiskPath): void {
  try {
    disk.unlink(path)
  } catch (error) {
    if (errnoOf(error) === null) throw error
  }
}
