// Original file: proto/synd/v1/synd.proto

import type { Long } from '@grpc/proto-loader';

export interface Dot {
  'peer'?: (Buffer | Uint8Array | string);
  'counter'?: (number | string | Long);
}

export interface Dot__Output {
  'peer': (Buffer);
  'counter': (string);
}
