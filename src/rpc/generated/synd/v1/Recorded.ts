// Original file: proto/synd/v1/synd.proto

import type { Long } from '@grpc/proto-loader';

export interface Recorded {
  'peerId'?: (Buffer | Uint8Array | string);
  'epoch'?: (Buffer | Uint8Array | string);
  'sequence'?: (number | string | Long);
}

export interface Recorded__Output {
  'peerId': (Buffer);
  'epoch': (Buffer);
  'sequence': (string);
}
