import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseDigest } from '../../src/core/digest.ts'
import { errorCode, SyndError } from '../../src/core/errors.ts'
import { parseRelativePath, type RelativePath } from '../../src/core/relative-path.ts'
import type { Pulled, PullRequest, PullTarget, Stage, Transfer } from '../../src/engine/ports.ts'
import { nastyNames } from '../support/nasty-names.ts'
import { memoryStages } from '../transfer/memory-stage.ts'

/** A transfer, and one source that it can reach. */
export interface TransferBench {
  readonly transfer: Transfer
  readonly target: PullTarget
  /** The source holds this content, announced as it is; gives what another peer would ask for. */
  put(path: RelativePath, content: Uint8Array): PullRequest
  /** The source holds nothing at the path any more. */
  remove(path: RelativePath): void
  /** Nobody reaches the source any more. */
  cut(): Promise<void>
  stop(): Promise<void>
  /** Lets time pass until the work is done, where time does not pass by itself. */
  drive?<T>(work: Promise<T>): Promise<T>
}

/** What every Transfer does (src/engine/ports.ts); both the one over SSH and the one of the simulation pass. */
export function transferSuite(name: string, makeBench: () => Promise<TransferBench>): void {
  describe(name, () => {
    let bench: TransferBench
    beforeEach(async () => {
      bench = await makeBench()
    })
    afterEach(() => bench.stop())

    const put = (path: string, content: string): PullRequest =>
      bench.put(parseRelativePath(path), Buffer.from(content))

    const pullAll = (
      requests: readonly PullRequest[],
      stages: ReturnType<typeof memoryStages>,
      signal: AbortSignal = new AbortController().signal,
    ): Promise<Pulled[]> => {
      const collect = async (): Promise<Pulled[]> => {
        const results: Pulled[] = []
        const pulling = bench.transfer.pull(bench.target, requests, stages.createStage, signal)
        for await (const pulled of pulling) results.push(pulled)
        return results
      }
      const work = collect()
      return bench.drive === undefined ? work : bench.drive(work)
    }

    const kindsOf = (results: readonly Pulled[]): string[] =>
      results.map((result) => (result.kind === 'failed' ? result.code : result.kind))

    test('gives one finished stage a request, in order', async () => {
      const requests = ['b', 'a', 'deep/down/c'].map((path) => put(path, `content of ${path}`))
      const stages = memoryStages()
      const results = await pullAll(requests, stages)
      expect(kindsOf(results)).toEqual(['pulled', 'pulled', 'pulled'])
      const contents = stagesOf(results).map((stage) => {
        const found = stages.all.find((candidate) => candidate === stage)
        return `${found?.state()} ${found?.path} ${found?.content().toString()}`
      })
      expect(contents).toEqual([
        'finished b content of b',
        'finished a content of a',
        'finished deep/down/c content of deep/down/c',
      ])
    })

    test('asks nothing and gives nothing for no request', async () => {
      await bench.cut()
      expect(await pullAll([], memoryStages())).toEqual([])
    })

    test('carries every name and the empty file', async () => {
      const requests = nastyNames.map((name) => put(`dir/${name}`, name.length > 4 ? name : ''))
      const stages = memoryStages()
      const results = await pullAll(requests, stages)
      expect(kindsOf(results)).toEqual(requests.map(() => 'pulled'))
      expect(stages.all.map((stage) => stage.content().length)).toEqual(
        requests.map(({ sizeBytes }) => sizeBytes),
      )
    })

    test('carries 256 files in one pull', async () => {
      const requests = Array.from({ length: 256 }, (_, index) => put(`f${index}`, `n${index}`))
      const results = await pullAll(requests, memoryStages())
      expect(kindsOf(results)).toEqual(requests.map(() => 'pulled'))
    })

    test('rule 16: says superseded for what the source holds in another version or not at all, and goes on', async () => {
      const changed = put('changed', 'old')
      put('changed', 'new and longer')
      const sameSize = put('same-size', 'old')
      put('same-size', 'new')
      const removed = put('removed', 'content')
      bench.remove(parseRelativePath('removed'))
      const never: PullRequest = {
        path: parseRelativePath('never'),
        digest: digestOf('x'),
        sizeBytes: 1,
      }
      const stages = memoryStages()
      const requests = [put('first', '1'), changed, sameSize, removed, never, put('last', '2')]
      const results = await pullAll(requests, stages)
      expect(kindsOf(results)).toEqual([
        'pulled',
        'superseded',
        'superseded',
        'superseded',
        'superseded',
        'pulled',
      ])
      expect(stages.left(stagesOf(results))).toEqual([])
    })

    test('reports a stage that cannot be made or filled as the failure of that file only', async () => {
      const stages = memoryStages((step, path) => {
        if (step === 'create' && path === 'full')
          throw new SyndError('no-space', 'no space left on the device')
        if (step === 'write' && path === 'broken') throw new SyndError('io', 'input/output error')
        if (step === 'finish' && path === 'other')
          throw new SyndError('digest-mismatch', 'other content')
      })
      const requests = ['a', 'full', 'broken', 'other', 'z'].map((path) => put(path, 'content'))
      const results = await pullAll(requests, stages)
      expect(kindsOf(results)).toEqual([
        'pulled',
        'disk-full',
        'pull-failed',
        'source-mismatch',
        'pulled',
      ])
      expect(stages.left(stagesOf(results))).toEqual([])
    })

    test('leaves no stage behind when the caller takes only the first', async () => {
      const requests = Array.from({ length: 20 }, (_, index) => put(`f${index}`, `n${index}`))
      const stages = memoryStages()
      const { signal } = new AbortController()
      const takeOne = async (): Promise<Pulled | null> => {
        const pulling = bench.transfer.pull(bench.target, requests, stages.createStage, signal)
        for await (const pulled of pulling) return pulled
        return null
      }
      const work = takeOne()
      const first = await (bench.drive === undefined ? work : bench.drive(work))
      expect(first?.kind).toBe('pulled')
      expect(stages.left(first === null ? [] : stagesOf([first]))).toEqual([])
      expect(stagesOf(first === null ? [] : [first]).length).toBe(1)
    })

    test('leaves no stage behind when it is aborted', async () => {
      const requests = Array.from({ length: 20 }, (_, index) => put(`f${index}`, `n${index}`))
      const controller = new AbortController()
      const taken: Stage[] = []
      const stages = memoryStages()
      const pulling = async (): Promise<void> => {
        const { transfer, target } = bench
        const results = transfer.pull(target, requests, stages.createStage, controller.signal)
        for await (const pulled of results) {
          taken.push(...stagesOf([pulled]))
          controller.abort()
        }
      }
      const work = pulling()
      const done = bench.drive === undefined ? work : bench.drive(work)
      expect(await codeOf(done)).toBe('aborted')
      expect(taken.length).toBe(1)
      expect(stages.left(taken)).toEqual([])
    })

    test('throws aborted when it was aborted before', async () => {
      const controller = new AbortController()
      controller.abort()
      const stages = memoryStages()
      const requests = [put('a', 'content')]
      expect(await codeOf(pullAll(requests, stages, controller.signal))).toBe('aborted')
      expect(stages.left()).toEqual([])
    })

    test('throws unreachable when nobody answers', async () => {
      const requests = [put('a', 'content')]
      await bench.cut()
      const stages = memoryStages()
      expect(await codeOf(pullAll(requests, stages))).toBe('unreachable')
      expect(stages.left()).toEqual([])
    })

    test('runs several pulls at once', async () => {
      const pulls = Array.from({ length: 12 }, (_, pull) =>
        Array.from({ length: 5 }, (_, index) => put(`p${pull}/f${index}`, `${pull}.${index}`)),
      )
      const results = await Promise.all(pulls.map((requests) => pullAll(requests, memoryStages())))
      expect(results.flatMap(kindsOf)).toEqual(Array.from({ length: 60 }, () => 'pulled'))
    })
  })
}

async function codeOf(work: Promise<unknown>): Promise<string | null> {
  try {
    await work
    return null
  } catch (error) {
    if (errorCode(error) === null) throw error
    return errorCode(error)
  }
}

function stagesOf(results: readonly Pulled[]): Stage[] {
  return results.flatMap((result) => (result.kind === 'pulled' ? [result.stage] : []))
}

function digestOf(content: string) {
  return parseDigest(createHash('sha256').update(content).digest('hex'))
}
