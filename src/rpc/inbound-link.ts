import { status, type ServerDuplexStream } from '@grpc/grpc-js'
import type { Announcement, Reply } from '../core/protocol.ts'
import type { InboundLink } from '../engine/ports.ts'
import { maxUnsentReplyBytes } from './limits.ts'
import { MessageStream } from './message-stream.ts'
import { Rejection, type Rejected } from './rejection.ts'
import type { Greeting } from './sessions.ts'
import { decodeAnnouncement } from './wire-announcement.ts'
import { encodeReply } from './wire-reply.ts'

/** A peer speaks when it has something to say; this leaves room for one that says the same now and then. */
const maxWithoutNews = 1000

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
    const news = newsOf()
    try {
      for await (const message of stream.messages()) {
        const announcement = decodeAnnouncement(message, { nowMs: nowMs(), rejected })
        news.require(announcement)
        yield announcement
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

/** Announcements that say nothing new, one after the other, are a flood: a message of five bytes costs us far more than its sender. */
function newsOf(): { require: (announcement: Announcement) => void } {
  let before = { upTo: -1, head: -1 }
  let count = 0
  return {
    require: ({ entries, upTo, head }) => {
      const isNews = entries.length > 0 || upTo > before.upTo || head > before.head
      before = { upTo: Math.max(upTo, before.upTo), head: Math.max(head, before.head) }
      count = isNews ? 0 : count + 1
      if (count <= maxWithoutNews) return
      throw new Rejection('no-news', `${count} announcements that say nothing new`)
    },
  }
}
