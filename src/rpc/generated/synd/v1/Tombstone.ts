// Original file: proto/synd/v1/synd.proto

import type { RemovedKind as _synd_v1_RemovedKind, RemovedKind__Output as _synd_v1_RemovedKind__Output } from '../../synd/v1/RemovedKind.ts';

export interface Tombstone {
  'removedKind'?: (_synd_v1_RemovedKind);
  'removedDigest'?: (Buffer | Uint8Array | string);
}

export interface Tombstone__Output {
  'removedKind': (_synd_v1_RemovedKind__Output);
  'removedDigest': (Buffer);
}
