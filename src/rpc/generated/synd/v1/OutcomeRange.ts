// Original file: proto/synd/v1/synd.proto

import type { Outcome as _synd_v1_Outcome, Outcome__Output as _synd_v1_Outcome__Output } from '../../synd/v1/Outcome.ts';
import type { Long } from '@grpc/proto-loader';

export interface OutcomeRange {
  'first'?: (number | string | Long);
  'last'?: (number | string | Long);
  'outcome'?: (_synd_v1_Outcome);
  'code'?: (string);
}

export interface OutcomeRange__Output {
  'first': (string);
  'last': (string);
  'outcome': (_synd_v1_Outcome__Output);
  'code': (string);
}
