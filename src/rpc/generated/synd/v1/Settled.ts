// Original file: proto/synd/v1/synd.proto

import type { Long } from '@grpc/proto-loader';

export interface Settled {
  'sequence'?: (number | string | Long);
}

export interface Settled__Output {
  'sequence': (string);
}
