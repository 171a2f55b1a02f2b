// Original file: proto/synd/v1/synd.proto


export interface EmbeddedSource {
  'port'?: (number);
}

export interface EmbeddedSource__Output {
  'port': (number);
}
