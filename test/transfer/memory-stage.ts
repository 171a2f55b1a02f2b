import { createHash } from 'node:crypto'
import { SyndError } from '../../src/core/errors.ts'
import type { PullRequest, Stage } from '../../src/engine/ports.ts'

/** A stage that shows what became of it. */
export interface MemoryStage extends Stage {
  readonly path: string
  state(): 'open' | 'finished' | 'discarded'
  content(): Buffer
}

/** Stages in memory that verify as real ones do; `before` may delay or fail a step. */
export function memoryStages(
  before: (step: 'create' | 'write' | 'finish', path: string) => Promise<void> | void = () =>
    undefined,
) {
  const all: MemoryStage[] = []
  let busy = 0
  let mostBusy = 0
  const createStage = async (request: PullRequest): Promise<MemoryStage> => {
    busy++
    mostBusy = Math.max(mostBusy, busy)
    try {
      await before('create', request.path)
    } catch (error) {
      busy--
      throw error
    }
    const stage = memoryStage(request, before, () => busy--)
    all.push(stage)
    return stage
  }
  return {
    createStage,
    all,
    mostBusy: () => mostBusy,
    /** Stages that are neither discarded nor in `taken`. */
    left: (taken: readonly Stage[] = []) =>
      all.filter((stage) => stage.state() !== 'discarded' && !taken.includes(stage)),
  }
}

function memoryStage(
  request: PullRequest,
  before: (step: 'create' | 'write' | 'finish', path: string) => Promise<void> | void,
  done: () => void,
): MemoryStage {
  const chunks: Buffer[] = []
  let state: 'open' | 'finished' | 'discarded' = 'open'
  const discard = async (): Promise<void> => {
    if (state === 'open') done()
    state = 'discarded'
  }
  const attempt = async (step: 'write' | 'finish', run: () => void): Promise<void> => {
    if (state !== 'open') throw new Error(`${step} on a stage that is ${state}`)
    try {
      await before(step, request.path)
      run()
    } catch (error) {
      await discard()
      throw error
    }
  }
  return {
    path: request.path,
    state: () => state,
    content: () => Buffer.concat(chunks),
    write: (chunk) => attempt('write', () => void chunks.push(Buffer.from(chunk))),
    finish: () =>
      attempt('finish', () => {
        const content = Buffer.concat(chunks)
        const digest = createHash('sha256').update(content).digest('hex')
        if (content.length !== request.sizeBytes || digest !== request.digest)
          throw new SyndError(
            'digest-mismatch',
            `content of ${content.length} bytes is not what was announced`,
          )
        state = 'finished'
        done()
      }),
    discard,
  }
}
