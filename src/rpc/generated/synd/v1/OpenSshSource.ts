// Original file: proto/synd/v1/synd.proto


export interface OpenSshSource {
  'host'?: (string);
  'port'?: (number);
  'user'?: (string);
  'root'?: (Buffer | Uint8Array | string);
}

export interface OpenSshSource__Output {
  'host': (string);
  'port': (number);
  'user': (string);
  'root': (Buffer);
}
