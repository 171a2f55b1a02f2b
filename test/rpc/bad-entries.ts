import type { Entry as WireEntry } from '../../src/rpc/generated/synd/v1/Entry.ts'
import type { RejectionReason } from '../../src/rpc/rejection.ts'
import { firstPeer, secondPeer, sha256 } from './samples.ts'

/** A dot as it travels. */
export const dot = (peer: string, counter: number | string) => ({
  peer: Buffer.from(peer, 'hex'),
  counter,
})
const digest = Buffer.from(sha256('x'), 'hex')
/** The dot of `goodEntry`. */
export const contentDot = dot(firstPeer, 5)
/** An entry that is taken: the file `a`. */
export const goodEntry: WireEntry = {
  sequence: 2,
  path: Buffer.from('a'),
  version: [contentDot],
  contentDot,
  mode: 0o644,
  mtimeUs: 0,
  file: { digest, sizeBytes: 1 },
}
/** What makes `goodEntry` a symlink; with a digest of its own, a lie. */
export const link = (target: Buffer, targetDigest = target) => ({
  file: null,
  symlink: { target, digest: Buffer.from(sha256(targetDigest.toString('latin1')), 'hex') },
})
const dayMs = 86_400_000
/** So many components of a version vector. */
export const components = (count: number) =>
  Array.from({ length: count }, (_, index) => dot(index.toString(16).padStart(16, '0'), 1))

/** What of `goodEntry` is changed, and why it is refused. */
export const badEntries: readonly (readonly [string, Partial<WireEntry>, RejectionReason])[] = [
  ...['', '.', '..', 'a/../b', '/a', 'a//b', 'a/', './a', 'a\0', '.synd', 'a/.synd/b'].map(
    (path) => [`path ${JSON.stringify(path)}`, { path: Buffer.from(path) }, 'bad-path'] as const,
  ),
  ['path of 5,000 bytes', { path: Buffer.from('a/'.repeat(2500) + 'a') }, 'bad-path'],
  ['path of 10,000 components', { path: Buffer.from('a/'.repeat(9999) + 'a') }, 'bad-path'],
  ['component of 256 bytes', { path: Buffer.alloc(256, 'a') }, 'bad-path'],
  ['no version', { version: [] }, 'bad-vector'],
  ['257 components', { version: [...components(256), contentDot] }, 'bad-vector'],
  ['a peer twice', { version: [contentDot, contentDot] }, 'bad-vector'],
  ['a component of zero', { version: [contentDot, dot(secondPeer, 0)] }, 'bad-vector'],
  ['a component of 2^53', { version: [contentDot, dot(secondPeer, 2 ** 53)] }, 'bad-vector'],
  [
    'a component of 2^64 - 1',
    { version: [contentDot, dot(secondPeer, '18446744073709551615')] },
    'bad-vector',
  ],
  ['a peer of 7 bytes', { version: [contentDot, dot('11111111111111', 1)] }, 'bad-vector'],
  [
    'a counter from tomorrow',
    { version: [dot(firstPeer, Date.now() + 2 * dayMs)] },
    'counter-ahead',
  ],
  ['no content dot', { contentDot: null }, 'bad-dot'],
  ['a dot not covered', { contentDot: dot(firstPeer, 6) }, 'bad-dot'],
  ['a dot of a peer not in the version', { metadataDot: dot(secondPeer, 1) }, 'bad-dot'],
  ['a dot of zero', { contentDot: dot(firstPeer, 0) }, 'bad-dot'],
  ['set-id bits', { mode: 0o4755 }, 'bad-mode'],
  ['mode 07777', { mode: 0o7777 }, 'bad-mode'],
  ['mtime 2^62', { mtimeUs: (2n ** 62n).toString() }, 'bad-mtime'],
  ['mtime -2^63', { mtimeUs: (-(2n ** 63n)).toString() }, 'bad-mtime'],
  ['size 2^63', { file: { digest, sizeBytes: (2n ** 63n).toString() } }, 'bad-size'],
  // The wire has no sign: so a negative one would be sent.
  ['size -1', { file: { digest, sizeBytes: (2n ** 64n - 1n).toString() } }, 'bad-size'],
  ['size -2^63 + 1', { file: { digest, sizeBytes: (2n ** 63n + 1n).toString() } }, 'bad-size'],
  ['size 2^53', { file: { digest, sizeBytes: 2 ** 53 } }, 'bad-size'],
  ['digest of 31 bytes', { file: { digest: digest.subarray(1), sizeBytes: 1 } }, 'bad-digest'],
  ['digest of 33 bytes', { file: { digest: Buffer.alloc(33), sizeBytes: 1 } }, 'bad-digest'],
  ['no digest', { file: { digest: Buffer.alloc(0), sizeBytes: 1 } }, 'bad-digest'],
  ['empty target', link(Buffer.alloc(0)), 'bad-target'],
  ['target with NUL', link(Buffer.from('a\0b')), 'bad-target'],
  ['target of 4,096 bytes', link(Buffer.alloc(4096, 'a')), 'bad-target'],
  ['digest of another target', link(Buffer.from('a'), Buffer.from('b')), 'bad-digest'],
  ['no kind', { file: null }, 'unknown-kind'],
  ['tombstone of no kind', { file: null, tombstone: { removedDigest: digest } }, 'unknown-kind'],
  [
    'tombstone of a file without digest',
    { file: null, tombstone: { removedKind: 1 } },
    'bad-digest',
  ],
  [
    'tombstone of a directory with digest',
    { file: null, tombstone: { removedKind: 2, removedDigest: digest } },
    'bad-digest',
  ],
  [
    'an entry of 40 KB',
    { version: [...components(4000)], path: Buffer.alloc(100, 'a') },
    'oversize-entry',
  ],
]
