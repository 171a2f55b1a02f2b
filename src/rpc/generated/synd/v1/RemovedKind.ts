// Original file: proto/synd/v1/synd.proto

export const RemovedKind = {
  REMOVED_KIND_UNSPECIFIED: 0,
  REMOVED_KIND_FILE: 1,
  REMOVED_KIND_DIRECTORY: 2,
  REMOVED_KIND_SYMLINK: 3,
} as const;

export type RemovedKind =
  | 'REMOVED_KIND_UNSPECIFIED'
  | 0
  | 'REMOVED_KIND_FILE'
  | 1
  | 'REMOVED_KIND_DIRECTORY'
  | 2
  | 'REMOVED_KIND_SYMLINK'
  | 3

export type RemovedKind__Output = typeof RemovedKind[keyof typeof RemovedKind]
