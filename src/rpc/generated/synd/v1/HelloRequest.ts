// Original file: proto/synd/v1/synd.proto

import type { Introduction as _synd_v1_Introduction, Introduction__Output as _synd_v1_Introduction__Output } from '../../synd/v1/Introduction.ts';

export interface HelloRequest {
  'introduction'?: (_synd_v1_Introduction | null);
}

export interface HelloRequest__Output {
  'introduction': (_synd_v1_Introduction__Output | null);
}
