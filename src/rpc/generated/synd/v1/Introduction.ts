// Original file: proto/synd/v1/synd.proto

import type { Mode as _synd_v1_Mode, Mode__Output as _synd_v1_Mode__Output } from '../../synd/v1/Mode.ts';
import type { Recorded as _synd_v1_Recorded, Recorded__Output as _synd_v1_Recorded__Output } from '../../synd/v1/Recorded.ts';
import type { SourceOffer as _synd_v1_SourceOffer, SourceOffer__Output as _synd_v1_SourceOffer__Output } from '../../synd/v1/SourceOffer.ts';

export interface Introduction {
  'protocolVersions'?: (number)[];
  'peerId'?: (Buffer | Uint8Array | string);
  'epoch'?: (Buffer | Uint8Array | string);
  'name'?: (string);
  'mode'?: (_synd_v1_Mode);
  'joining'?: (boolean);
  'recorded'?: (_synd_v1_Recorded)[];
  'source'?: (_synd_v1_SourceOffer | null);
}

export interface Introduction__Output {
  'protocolVersions': (number)[];
  'peerId': (Buffer);
  'epoch': (Buffer);
  'name': (string);
  'mode': (_synd_v1_Mode__Output);
  'joining': (boolean);
  'recorded': (_synd_v1_Recorded__Output)[];
  'source': (_synd_v1_SourceOffer__Output | null);
}
