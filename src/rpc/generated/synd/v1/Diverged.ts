// Original file: proto/synd/v1/synd.proto

import type { Long } from '@grpc/proto-loader';

export interface Diverged {
  'paths'?: (number | string | Long);
}

export interface Diverged__Output {
  'paths': (string);
}
