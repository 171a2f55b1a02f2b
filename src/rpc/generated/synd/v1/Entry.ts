// Original file: proto/synd/v1/synd.proto

import type { Dot as _synd_v1_Dot, Dot__Output as _synd_v1_Dot__Output } from '../../synd/v1/Dot.ts';
import type { File as _synd_v1_File, File__Output as _synd_v1_File__Output } from '../../synd/v1/File.ts';
import type { Directory as _synd_v1_Directory, Directory__Output as _synd_v1_Directory__Output } from '../../synd/v1/Directory.ts';
import type { Symlink as _synd_v1_Symlink, Symlink__Output as _synd_v1_Symlink__Output } from '../../synd/v1/Symlink.ts';
import type { Tombstone as _synd_v1_Tombstone, Tombstone__Output as _synd_v1_Tombstone__Output } from '../../synd/v1/Tombstone.ts';
import type { Long } from '@grpc/proto-loader';

export interface Entry {
  'sequence'?: (number | string | Long);
  'path'?: (Buffer | Uint8Array | string);
  'version'?: (_synd_v1_Dot)[];
  'contentDot'?: (_synd_v1_Dot | null);
  'metadataDot'?: (_synd_v1_Dot | null);
  'mode'?: (number);
  'mtimeUs'?: (number | string | Long);
  'file'?: (_synd_v1_File | null);
  'directory'?: (_synd_v1_Directory | null);
  'symlink'?: (_synd_v1_Symlink | null);
  'tombstone'?: (_synd_v1_Tombstone | null);
  'kind'?: "file"|"directory"|"symlink"|"tombstone";
}

export interface Entry__Output {
  'sequence': (string);
  'path': (Buffer);
  'version': (_synd_v1_Dot__Output)[];
  'contentDot': (_synd_v1_Dot__Output | null);
  'metadataDot': (_synd_v1_Dot__Output | null);
  'mode': (number);
  'mtimeUs': (string);
  'file'?: (_synd_v1_File__Output | null);
  'directory'?: (_synd_v1_Directory__Output | null);
  'symlink'?: (_synd_v1_Symlink__Output | null);
  'tombstone'?: (_synd_v1_Tombstone__Output | null);
  'kind'?: "file"|"directory"|"symlink"|"tombstone";
}
