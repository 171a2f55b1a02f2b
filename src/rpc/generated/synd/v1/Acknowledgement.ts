// Original file: proto/synd/v1/synd.proto

import type { OutcomeRange as _synd_v1_OutcomeRange, OutcomeRange__Output as _synd_v1_OutcomeRange__Output } from '../../synd/v1/OutcomeRange.ts';
import type { Long } from '@grpc/proto-loader';

export interface Acknowledgement {
  'recordedUpTo'?: (number | string | Long);
  'ranges'?: (_synd_v1_OutcomeRange)[];
}

export interface Acknowledgement__Output {
  'recordedUpTo': (string);
  'ranges': (_synd_v1_OutcomeRange__Output)[];
}
