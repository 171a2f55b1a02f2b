// Original file: proto/synd/v1/synd.proto

export const Outcome = {
  OUTCOME_UNSPECIFIED: 0,
  OUTCOME_APPLIED: 1,
  OUTCOME_NOT_WANTED: 2,
  OUTCOME_FAILED: 3,
  OUTCOME_REFUSED: 4,
} as const;

export type Outcome =
  | 'OUTCOME_UNSPECIFIED'
  | 0
  | 'OUTCOME_APPLIED'
  | 1
  | 'OUTCOME_NOT_WANTED'
  | 2
  | 'OUTCOME_FAILED'
  | 3
  | 'OUTCOME_REFUSED'
  | 4

export type Outcome__Output = typeof Outcome[keyof typeof Outcome]
