// Original file: proto/synd/v1/synd.proto


export interface Symlink {
  'target'?: (Buffer | Uint8Array | string);
  'digest'?: (Buffer | Uint8Array | string);
}

export interface Symlink__Output {
  'target': (Buffer);
  'digest': (Buffer);
}
