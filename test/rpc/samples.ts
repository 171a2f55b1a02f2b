import { createHash } from 'node:crypto'
import { parseDigest, type Digest } from '../../src/core/digest.ts'
import type { Entry } from '../../src/core/entry.ts'
import { parseEpoch, parsePeerId } from '../../src/core/peer-id.ts'
import type { Hello, HelloAnswer } from '../../src/core/protocol.ts'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import { vectorOf } from '../../src/core/version-vector.ts'

export const firstPeer = parsePeerId('1111111111111111')
export const secondPeer = parsePeerId('2222222222222222')

export function sha256(latin1: string): Digest {
  return parseDigest(createHash('sha256').update(latin1, 'latin1').digest('hex'))
}

/** One entry of each kind, with bytes that are no UTF-8 and numbers at their limits. */
export function sampleEntries(): Entry[] {
  const contentDot = { peer: firstPeer, counter: 1_700_000_000_000 }
  const metadataDot = { peer: secondPeer, counter: 1 }
  const common = {
    path: parseRelativePath('d\xff/a\\b \n$(id)'),
    version: vectorOf(contentDot, metadataDot),
    contentDot,
    metadataDot,
    mode: 0o640,
    mtimeUs: -1,
  }
  const target = '../\xfe\xff'
  return [
    { kind: 'file', ...common, digest: sha256('x'), sizeBytes: Number.MAX_SAFE_INTEGER },
    { kind: 'file', ...common, metadataDot: contentDot, digest: sha256(''), sizeBytes: 0 },
    { kind: 'directory', ...common, mode: 0o777 },
    { kind: 'symlink', ...common, target, digest: sha256(target) },
    { kind: 'tombstone', ...common, removedKind: 'file', removedDigest: sha256('x') },
    { kind: 'tombstone', ...common, removedKind: 'symlink', removedDigest: sha256(target) },
    { kind: 'tombstone', ...common, removedKind: 'directory', removedDigest: null, mtimeUs: 0 },
  ]
}

export function sampleHello(overrides: Partial<Hello> = {}): Hello {
  return {
    protocolVersions: [1],
    peerId: firstPeer,
    epoch: parseEpoch('00000000000000e1'),
    name: 'host-a',
    mode: 'send-receive',
    joining: false,
    recorded: [
      { peerId: secondPeer, epoch: parseEpoch('00000000000000e2'), sequence: 7 },
      { peerId: secondPeer, epoch: parseEpoch('00000000000000e3'), sequence: 0 },
    ],
    source: { kind: 'embedded', port: 2222 },
    ...overrides,
  }
}

export function sampleAnswer(overrides: Partial<HelloAnswer> = {}): HelloAnswer {
  return { ...sampleHello(), listsCaller: 'unknown', ...overrides }
}
