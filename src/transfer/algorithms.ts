import { createRequire } from 'node:module'
import type { Algorithms, Channel } from 'ssh2'

/**
 * What both roles offer: authenticated ciphers only, the fastest first, nothing with SHA-1, no compression (a member could fill memory
 * with it). OpenSSH 6.5 and later has all of it.
 */
export const algorithms = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group14-sha256',
  ],
  serverHostKey: [
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
    'rsa-sha2-512',
    'rsa-sha2-256',
  ],
  cipher: ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'chacha20-poly1305@openssh.com'],
  // Not used with the ciphers above, but the list must not be empty.
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com'],
  compress: ['none'],
} satisfies Algorithms

/** Of a host whose keys are known only those of their kinds are asked for: it may have others, which would be taken for a change. */
export function hostKeyAlgorithms(keyTypes: readonly string[]): Algorithms {
  if (keyTypes.length === 0) return algorithms
  const serverHostKey = algorithms.serverHostKey.filter((algorithm) =>
    keyTypes.includes(algorithm.startsWith('rsa-sha2-') ? 'ssh-rsa' : algorithm),
  )
  return { ...algorithms, serverHostKey }
}

/** Whether ssh2's compiled cryptography is there; its JavaScript has half the speed. */
export function cryptoKind(): 'native' | 'javascript' {
  const loaded: unknown = createRequire(import.meta.url)('ssh2/lib/protocol/crypto.js')
  const isNative =
    typeof loaded === 'object' &&
    loaded !== null &&
    'bindingAvailable' in loaded &&
    loaded.bindingAvailable === true
  return isNative ? 'native' : 'javascript'
}

/** OpenSSH takes 32 KiB a packet, every known implementation more than this. */
const minPacketBytes = 1024

/** What speaks against a channel: the other end wants packets so small that ssh2 would loop on them (for ever, at 0). */
export function packetSizeRefusal(channel: Channel): string | null {
  const outgoing = channel.outgoing
  const size =
    typeof outgoing === 'object' && outgoing !== null && 'packetSize' in outgoing
      ? outgoing.packetSize
      : undefined
  if (typeof size === 'number' && size >= minPacketBytes) return null
  return `asks for packets of ${String(size)} bytes`
}
