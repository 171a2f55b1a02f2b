import type { IncomingMessage } from 'node:http'
import { SyndError } from '../../core/errors.ts'
import type { Status } from '../../core/status.ts'
import { isHostUnclear, isLocalUser, refuseCaller } from './local-caller.ts'
import { type MetricsFormat, metricsContentTypes, negotiateFormat } from '../open-metrics.ts'
import { withoutPaths } from './public-status.ts'

/** What the HTTP server asks of the running sidecar. */
export interface StatusSource {
  status(): Status
  /** Whether the volume is usable; the reason names no path. */
  readiness(): { readonly ready: boolean; readonly reason: string | null }
  /** Lets the held deletes go; gives how many. */
  approve(): number | Promise<number>
  /** Takes the held entries back from the peers; gives how many. */
  reject(): number | Promise<number>
  metrics(format: MetricsFormat): Promise<string>
}

export interface Answer {
  readonly status: number
  readonly body: string
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Why it was refused, for synd_rejected_total. */
  readonly rejected?: string
}

/** The answer to an `Expect` of something else than `100-continue` (RFC 9110, 10.1.1). */
export const expectationFailed: Answer = {
  ...text(417, 'expectation failed'),
  rejected: 'expectation',
}

/** Answers one request; throws what the source throws. */
export async function answer(request: IncomingMessage, source: StatusSource): Promise<Answer> {
  if (isHostUnclear(request))
    return {
      ...text(400, 'one Host is needed'),
      headers: { Connection: 'close' },
      rejected: 'host',
    }
  const [path = ''] = (request.url ?? '').split('?', 1)
  const route = routes.get(path)
  if (route === undefined) return { ...text(404, 'not found'), rejected: 'path' }
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  if (route.changes ? request.method !== 'POST' : !isRead) {
    const headers = { Allow: route.changes ? 'POST' : 'GET, HEAD' }
    return { ...text(405, 'method not allowed'), headers, rejected: 'method' }
  }
  const rejected = route.changes ? refuseCaller(request) : null
  if (rejected !== null)
    return { ...text(403, 'only from this host, over its loopback address'), rejected }
  return route.answer(source, request)
}

interface Route {
  /** Reads are GET and HEAD; what changes something is POST from this host. */
  readonly changes: boolean
  answer(source: StatusSource, request: IncomingMessage): Answer | Promise<Answer>
}

const routes: ReadonlyMap<string, Route> = new Map(
  Object.entries<Route>({
    '/livez': { changes: false, answer: () => text(200, 'ok') },
    '/startupz': {
      changes: false,
      answer: (source) => (source.status().isStarted ? text(200, 'ok') : text(503, 'starting')),
    },
    '/readyz': {
      changes: false,
      answer: (source) => {
        const { ready, reason } = source.readiness()
        return ready ? text(200, 'ok') : text(503, reason ?? 'not ready')
      },
    },
    '/status': {
      changes: false,
      answer: (source, request) => {
        const status = source.status()
        return json(isLocalUser(request) ? status : withoutPaths(status))
      },
    },
    '/metrics': {
      changes: false,
      answer: async (source, request) => {
        const format = negotiateFormat(request.headers.accept)
        const body = await source.metrics(format)
        return {
          status: 200,
          body,
          contentType: metricsContentTypes[format],
          headers: { Vary: 'Accept' },
        }
      },
    },
    '/approve': {
      changes: true,
      answer: (source) => decided(async () => ({ approved: await source.approve() })),
    },
    '/reject': {
      changes: true,
      answer: (source) => decided(async () => ({ rejected: await source.reject() })),
    },
  }),
)

/** What keeps a decision from being taken is told to whoever takes it: only this host is answered at all. */
async function decided(decide: () => Promise<object>): Promise<Answer> {
  try {
    return json(await decide())
  } catch (error) {
    if (!(error instanceof SyndError)) throw error
    return text(503, error.message)
  }
}

function text(status: number, line: string): Answer {
  return { status, body: `${line}\n` }
}

function json(value: unknown): Answer {
  return {
    status: 200,
    body: `${JSON.stringify(value, null, 2)}\n`,
    contentType: 'application/json; charset=utf-8',
  }
}
