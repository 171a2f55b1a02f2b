// Original file: proto/synd/v1/synd.proto

import type { Entry as _synd_v1_Entry, Entry__Output as _synd_v1_Entry__Output } from '../../synd/v1/Entry.ts';
import type { Long } from '@grpc/proto-loader';

export interface Announcement {
  'entries'?: (_synd_v1_Entry)[];
  'upTo'?: (number | string | Long);
  'head'?: (number | string | Long);
}

export interface Announcement__Output {
  'entries': (_synd_v1_Entry__Output)[];
  'upTo': (string);
  'head': (string);
}
