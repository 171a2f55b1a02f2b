import { volumeInterference } from './volume-interference.ts'
import { volumeLooking } from './volume-looking.ts'
import { volumeMoving } from './volume-moving.ts'
import { volumePublishing } from './volume-publishing.ts'
import { volumeStaging } from './volume-staging.ts'
import type { Ground } from './volume-subject.ts'

/** What the volume does alike on every Disk; each test gets a ground of its own. */
export function volumeSuite(name: string, ground: () => Ground): void {
  volumeLooking(name, ground)
  volumeStaging(name, ground)
  volumePublishing(name, ground)
  volumeMoving(name, ground)
  volumeInterference(name, ground)
}
