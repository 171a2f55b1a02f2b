// Original file: proto/synd/v1/synd.proto

import type { EmbeddedSource as _synd_v1_EmbeddedSource, EmbeddedSource__Output as _synd_v1_EmbeddedSource__Output } from '../../synd/v1/EmbeddedSource.ts';
import type { OpenSshSource as _synd_v1_OpenSshSource, OpenSshSource__Output as _synd_v1_OpenSshSource__Output } from '../../synd/v1/OpenSshSource.ts';

export interface SourceOffer {
  'embedded'?: (_synd_v1_EmbeddedSource | null);
  'openssh'?: (_synd_v1_OpenSshSource | null);
  'kind'?: "embedded"|"openssh";
}

export interface SourceOffer__Output {
  'embedded'?: (_synd_v1_EmbeddedSource__Output | null);
  'openssh'?: (_synd_v1_OpenSshSource__Output | null);
  'kind'?: "embedded"|"openssh";
}
