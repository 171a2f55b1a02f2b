import { ServerInterceptingCall, status, type ServerInterceptor } from '@grpc/grpc-js'
import type { Rejected, RejectionReason } from './rejection.ts'

/** What failed here is told nobody. */
export const ownFailure = 'internal error'

/** grpc-js refuses by itself what is too long or cannot be unpacked, and tells only the caller. */
export function countRefusals(rejected: Rejected): ServerInterceptor {
  return (_method, call) => {
    const send = call.sendStatus.bind(call)
    let isCounted = false
    call.sendStatus = (answer) => {
      const reason = answer.details === ownFailure ? undefined : refusedByGrpc[answer.code ?? -1]
      if (reason !== undefined && !isCounted) {
        isCounted = true
        rejected('grpc', reason)
      }
      send(answer)
    }
    return new ServerInterceptingCall(call)
  }
}

const refusedByGrpc: Partial<Record<number, RejectionReason>> = {
  [status.RESOURCE_EXHAUSTED]: 'oversize-message',
  [status.INTERNAL]: 'malformed-message',
  [status.UNIMPLEMENTED]: 'malformed-message',
}
