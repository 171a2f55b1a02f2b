import type { ClientDuplexStream } from '@grpc/grpc-js'
import type { KeyFingerprint } from '../core/credentials.ts'
import type { Announcement, Hello, HelloAnswer, Reply } from '../core/protocol.ts'
import type { OutboundLink } from '../engine/ports.ts'
import { maxUnsentAnnouncementBytes } from './limits.ts'
import { MessageStream } from './message-stream.ts'
import { Rejection, type Rejected } from './rejection.ts'
import { encodeAnnouncement } from './wire-announcement.ts'
import { decodeReply } from './wire-reply.ts'

interface OutboundOptions {
  readonly address: string
  readonly host: string
  readonly hello: Hello
  readonly answer: HelloAnswer
  readonly key: KeyFingerprint
  readonly rejected: Rejected
  readonly log: (level: 'info', message: string, fields: Record<string, unknown>) => void
}

/** Our stream to a peer that we dialled, as the engine sees it. */
export function openOutboundLink(
  call: ClientDuplexStream<Buffer, Buffer>,
  options: OutboundOptions,
): OutboundLink {
  const { address, host, hello, answer, key, rejected, log } = options
  const stream = new MessageStream(call, { maxUnsentBytes: maxUnsentAnnouncementBytes })
  const close = () => {
    stream.markDown()
    call.cancel()
  }
  return {
    address,
    host,
    hello,
    answer,
    key,
    send: (announcement: Announcement) => stream.write(encodeAnnouncement(announcement)),
    replies: replies(),
    close,
  }

  async function* replies(): AsyncGenerator<Reply> {
    try {
      for await (const message of stream.messages()) {
        const reply = decodeReply(message, rejected)
        if (reply !== null) yield reply
      }
    } catch (error) {
      if (!(error instanceof Rejection)) throw error
      rejected('grpc', error.reason)
      log('info', 'replies refused', { peer: address, message: error.message })
    }
    close()
  }
}
