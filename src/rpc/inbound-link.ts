import { status, type ServerDuplexStream } from '@grpc/grpc-js'
import type { Announcement, Reply } from '../core/protocol.ts'
import type { InboundLink } from '../engine/ports.ts'
import { maxUnsentReplyBytes } from './limits.ts'
import { MessageStream } from './message-stream.ts'
import { Rejection, type Rejected } from './rejection.ts'
import type { Greeting } from './sessions.ts'
import { decodeAnnouncement } from './wire-announcement.ts'
import { encodeReply } from './wire-reply.ts'

interface InboundOptions extends Greeting {
  readonly nowMs: () => number
  readonly rejected: Rejected
  readonly log: (level: 'info', message: string, fields: Record<string, unknown>) => void
}

/** The stream of a peer that dialled us, as the engine sees it. */
export function openInboundLink(
  call: ServerDuplexStream<Buffer, Buffer>,
  options: InboundOptions,
): InboundLink {
  const { hello, answer, key, nowMs, rejected, log } = options
  const stream = new MessageStream(call, { maxUnsentBytes: maxUnsentReplyBytes })
  return {
    hello,
    answer,
    key,
    announcements: announcements(),
    reply: (reply: Reply) => stream.write(encodeReply(reply)),
    close: () => {
      if (stream.isDown) return
      stream.markDown()
      call.end()
    },
  }

  async function* announcements(): AsyncGenerator<Announcement> {
    try {
      for await (const message of stream.messages()) {
        yield decodeAnnouncement(message, { nowMs: nowMs(), rejected })
      }
    } catch (error) {
      if (!(error instanceof Rejection)) throw error
      rejected('grpc', error.reason)
      log('info', 'stream refused', {
        peer: hello.name,
        reason: error.reason,
        message: error.message,
      })
      stream.markDown()
      call.emit('error', { code: status.INVALID_ARGUMENT, details: error.message })
    }
  }
}
