// Original file: proto/synd/v1/synd.proto

import type { Acknowledgement as _synd_v1_Acknowledgement, Acknowledgement__Output as _synd_v1_Acknowledgement__Output } from '../../synd/v1/Acknowledgement.ts';
import type { Settled as _synd_v1_Settled, Settled__Output as _synd_v1_Settled__Output } from '../../synd/v1/Settled.ts';
import type { Diverged as _synd_v1_Diverged, Diverged__Output as _synd_v1_Diverged__Output } from '../../synd/v1/Diverged.ts';

export interface Reply {
  'acknowledgement'?: (_synd_v1_Acknowledgement | null);
  'settled'?: (_synd_v1_Settled | null);
  'diverged'?: (_synd_v1_Diverged | null);
  'kind'?: "acknowledgement"|"settled"|"diverged";
}

export interface Reply__Output {
  'acknowledgement'?: (_synd_v1_Acknowledgement__Output | null);
  'settled'?: (_synd_v1_Settled__Output | null);
  'diverged'?: (_synd_v1_Diverged__Output | null);
  'kind'?: "acknowledgement"|"settled"|"diverged";
}
