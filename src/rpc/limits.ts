import type { ChannelOptions } from '@grpc/grpc-js'
import { maxAnnouncementBytes } from '../core/protocol.ts'

/** A peer that is silent, stopped or cut off is noticed within 15 s; on both sides, because either may be the one that has nothing to say. */
const keepaliveTimeMs = 10_000
const keepaliveTimeoutMs = 5_000

/** A message above is refused by grpc-js before it is read whole; one above the batch limit by us, in words. */
const maxRequestBytes = 2 * maxAnnouncementBytes
/** An acknowledgement of 1,000 ranges, or a Hello of 256 records, with room. */
const maxResponseBytes = 128 * 1024

/** What a slow peer may keep waiting in our memory: announcements on the one side, replies on the other. */
export const maxUnsentAnnouncementBytes = maxAnnouncementBytes
export const maxUnsentReplyBytes = 64 * 1024

/** Hello and Notify, and the same once more while the first are closing. */
const maxConcurrentStreams = 4
/** In MB, of one HTTP/2 session: two messages of the largest size and their frames. */
const maxSessionMemory = 10
/** Without a stream nobody needs a connection. */
const maxConnectionIdleMs = 60_000

/** A Hello that takes longer, from the look-up of the name on, has failed. */
export const helloDeadlineMs = 10_000

const common: ChannelOptions = {
  'grpc.keepalive_time_ms': keepaliveTimeMs,
  'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
  'grpc.enable_channelz': 0,
}

/** For the server. */
export const serverOptions: ChannelOptions = {
  ...common,
  'grpc.max_receive_message_length': maxRequestBytes,
  'grpc.max_send_message_length': maxResponseBytes,
  'grpc.max_concurrent_streams': maxConcurrentStreams,
  'grpc.max_connection_idle_ms': maxConnectionIdleMs,
  'grpc-node.max_session_memory': maxSessionMemory,
}

/** For a client of one connection; it is thrown away when that fails, so that the next looks the name up anew (grpc-node#2785). */
export const clientOptions: ChannelOptions = {
  ...common,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.max_receive_message_length': maxResponseBytes,
  'grpc.max_send_message_length': maxRequestBytes,
  'grpc.use_local_subchannel_pool': 1,
  // Retries keep what was sent on a stream in memory; we resume from what the peer has recorded.
  'grpc.enable_retries': 0,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  // Not within the life of a client.
  'grpc.initial_reconnect_backoff_ms': 600_000,
  'grpc.max_reconnect_backoff_ms': 600_000,
}
