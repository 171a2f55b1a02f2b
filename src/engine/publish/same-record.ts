import type { IndexRecord } from '../../core/index-record.ts'
import { sameObservation, type Observation } from '../../core/observation.ts'

/** Nothing was committed for the path since it was looked at. */
export function isSameRecord(now: IndexRecord | null, then: IndexRecord | null): boolean {
  if (now === null || then === null) return now === then
  return now.sequence === then.sequence && isSameObservation(now.observation, then.observation)
}

function isSameObservation(a: Observation | null, b: Observation | null): boolean {
  return a === null || b === null ? a === b : sameObservation(a, b)
}
