/** The thread of the bulk lane: connections of its own to sources, from which it writes large files into descriptors of the main thread. */
import { parentPort, workerData } from 'node:worker_threads'
import { SyndError } from '../../core/errors.ts'
import type { Pulled } from '../../engine/ports.ts'
import { planCommands } from '../command.ts'
import { Connections, type PooledTarget } from '../sink/connections.ts'
import { Pull } from '../sink/pull.ts'
import type { BulkNotice, BulkOrder, BulkOutcome, BulkSetup, BulkTarget } from './message.ts'
import { sharedFile } from './shared-file.ts'

type PullOrder = Extract<BulkOrder, { kind: 'pull' }>

const setup: BulkSetup = workerData
const connections = new Connections(setup)
const jobs = new Map<number, AbortController>()
const distrusted = new Set<string>()

/** The main thread waits between attempts; here the first after a failure may come at once. */
const patience = { lostMs: 0, maxLostMs: 0, refusedMs: 0, maxRefusedMs: 0 }

parentPort?.on('message', (order: BulkOrder) => {
  switch (order.kind) {
    case 'pull':
      void run(order)
      return
    case 'abort':
      jobs.get(order.id)?.abort()
      return
    case 'distrust':
      distrusted.add(order.name)
      connections.trustChanged()
      return
    case 'stop':
      void connections.stop().then(() => parentPort?.close())
      return
  }
})

async function run(order: PullOrder): Promise<void> {
  const controller = new AbortController()
  jobs.set(order.id, controller)
  distrusted.delete(order.target.name)
  const outcome = await tryPull(order, controller.signal)
  jobs.delete(order.id)
  tell({ kind: 'ended', id: order.id, outcome })
}

async function tryPull(order: PullOrder, signal: AbortSignal): Promise<BulkOutcome> {
  try {
    const pulled = await pull(order, signal)
    if (pulled.kind !== 'pulled') return pulled
    const { sizeBytes, digest } = order.request
    return { kind: 'received', sizeBytes, digest }
  } catch (error) {
    if (!(error instanceof SyndError)) throw error
    const { code, message, retryable } = error
    return { kind: 'thrown', code, message, retryable }
  }
}

/** When it resolves nothing writes into the descriptor any more. */
async function pull(order: PullOrder, signal: AbortSignal): Promise<Pulled> {
  const { id, request, fd } = order
  const target = pooled(order.target)
  const running = new Pull({
    requests: [request],
    plan: (requests) => planCommands({ kind: 'embedded', port: target.port }, requests),
    createStage: async () => sharedFile(fd, request),
    connect: () => connections.get(target),
    isBehindShell: false,
    explain: target.explain,
    stallMs: setup.limits.stallMs,
    refused: (reason, text) => tell({ kind: 'refused', id, reason, text }),
  })
  const abort = (): void => running.abort()
  signal.addEventListener('abort', abort, { once: true })
  try {
    running.start()
    if (signal.aborted) abort()
    return await running.take(0)
  } finally {
    await running.stop()
  }
}

function pooled({ name, host, port, user, hostKey }: BulkTarget): PooledTarget {
  return {
    name,
    host,
    port,
    user,
    keyTypes: [],
    patience,
    hostKeyRefusal: (blob) => {
      if (distrusted.has(name)) return 'its host key is not trusted any more'
      return blob.equals(hostKey) ? null : 'its host key is another one than before'
    },
    explain: (text) => `${host}:${port}: the source sends no files: ${text}`,
  }
}

function tell(notice: BulkNotice): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, no window's
  parentPort?.postMessage(notice)
}
