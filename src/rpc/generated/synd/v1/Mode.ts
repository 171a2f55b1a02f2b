// Original file: proto/synd/v1/synd.proto

export const Mode = {
  MODE_UNSPECIFIED: 0,
  MODE_SEND_RECEIVE: 1,
  MODE_SEND_ONLY: 2,
  MODE_RECEIVE_ONLY: 3,
} as const;

export type Mode =
  | 'MODE_UNSPECIFIED'
  | 0
  | 'MODE_SEND_RECEIVE'
  | 1
  | 'MODE_SEND_ONLY'
  | 2
  | 'MODE_RECEIVE_ONLY'
  | 3

export type Mode__Output = typeof Mode[keyof typeof Mode]
