// Original file: proto/synd/v1/synd.proto

import type { Long } from '@grpc/proto-loader';

export interface File {
  'digest'?: (Buffer | Uint8Array | string);
  'sizeBytes'?: (number | string | Long);
}

export interface File__Output {
  'digest': (Buffer);
  'sizeBytes': (string);
}
