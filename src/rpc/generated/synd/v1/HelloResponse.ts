// Original file: proto/synd/v1/synd.proto

import type { Introduction as _synd_v1_Introduction, Introduction__Output as _synd_v1_Introduction__Output } from '../../synd/v1/Introduction.ts';
import type { ListsCaller as _synd_v1_ListsCaller, ListsCaller__Output as _synd_v1_ListsCaller__Output } from '../../synd/v1/ListsCaller.ts';

export interface HelloResponse {
  'introduction'?: (_synd_v1_Introduction | null);
  'listsCaller'?: (_synd_v1_ListsCaller);
  'session'?: (Buffer | Uint8Array | string);
}

export interface HelloResponse__Output {
  'introduction': (_synd_v1_Introduction__Output | null);
  'listsCaller': (_synd_v1_ListsCaller__Output);
  'session': (Buffer);
}
