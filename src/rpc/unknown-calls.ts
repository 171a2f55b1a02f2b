import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Rejected } from './rejection.ts'

/** What Node tells of each call that comes, in the whole process. */
const channel = 'http2.server.stream.created'

export interface UnknownCallOptions {
  /** Paths of the methods that there are: `/package.Service/Method`. */
  readonly known: ReadonlySet<string>
  /** Whether it came to a port of ours. */
  readonly isOurs: (localPort: number | undefined) => boolean
  readonly rejected: Rejected
}

/**
 * Counts calls of methods that there are not, until the function that it gives is called. grpc-js answers them with UNIMPLEMENTED before any
 * interceptor hears of them, and tells nobody.
 */
export function countUnknownCalls({ known, isOurs, rejected }: UnknownCallOptions): () => void {
  const count = (message: unknown): void => {
    const { path, localPort } = parseCall(message)
    if (isOurs(localPort) && !known.has(path)) rejected('grpc', 'unknown-method')
  }
  subscribe(channel, count)
  return () => {
    unsubscribe(channel, count)
  }
}

/** As node:diagnostics_channel has it: the types say nothing of it. */
function parseCall(message: unknown): { path: string; localPort: number | undefined } {
  const { stream, headers } = message as {
    readonly stream: ServerHttp2Stream
    readonly headers: IncomingHttpHeaders
  }
  const { session } = stream
  // The socket of a session that has ended throws when it is looked at.
  const localPort = session?.destroyed === false ? session.socket.localPort : undefined
  return { path: String(headers[':path']), localPort }
}
