// Original file: proto/synd/v1/synd.proto

export const ListsCaller = {
  LISTS_CALLER_UNKNOWN: 0,
  LISTS_CALLER_YES: 1,
  LISTS_CALLER_NO: 2,
} as const;

export type ListsCaller =
  | 'LISTS_CALLER_UNKNOWN'
  | 0
  | 'LISTS_CALLER_YES'
  | 1
  | 'LISTS_CALLER_NO'
  | 2

export type ListsCaller__Output = typeof ListsCaller[keyof typeof ListsCaller]
