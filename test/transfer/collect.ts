import type { Pulled, PullRequest, PullTarget, Transfer } from '../../src/engine/ports.ts'
import { errorCode } from '../../src/core/errors.ts'
import { memoryStages } from './memory-stage.ts'

/** Everything that a pull gives, as kinds: `pulled`, `superseded` or the code of a failure; then the code it threw. */
export async function collect(
  transfer: Transfer,
  target: PullTarget,
  requests: readonly PullRequest[],
  options: {
    readonly stages?: ReturnType<typeof memoryStages>
    readonly signal?: AbortSignal
    readonly onResult?: (pulled: Pulled) => void
  } = {},
): Promise<{
  readonly kinds: string[]
  readonly contents: Buffer[]
  readonly messages: string[]
  readonly left: number
  readonly error: string | null
  readonly errorText: string
}> {
  const stages = options.stages ?? memoryStages()
  const signal = options.signal ?? new AbortController().signal
  const results: Pulled[] = []
  let error: string | null = null
  let errorText = ''
  try {
    for await (const pulled of transfer.pull(target, requests, stages.createStage, signal)) {
      results.push(pulled)
      options.onResult?.(pulled)
    }
  } catch (thrown) {
    error = errorCode(thrown)
    errorText = thrown instanceof Error ? thrown.message : ''
    if (error === null) throw thrown
  }
  const taken = results.flatMap((result) => (result.kind === 'pulled' ? [result.stage] : []))
  return {
    kinds: results.map((result) => (result.kind === 'failed' ? result.code : result.kind)),
    contents: taken.map(
      (stage) => stages.all.find((known) => known === stage)?.content() ?? Buffer.alloc(0),
    ),
    messages: results.map((result) => (result.kind === 'failed' ? result.message : '')),
    left: stages.left(taken).length,
    error,
    errorText,
  }
}

/** Waits for a condition without a fixed time; fails by the test's own timeout. */
export async function until(isMet: () => boolean): Promise<void> {
  while (!isMet()) await new Promise((resolve) => setTimeout(resolve, 5))
}
