import { SyndError } from '../core/errors.ts'
import type { Volume } from './ports.ts'

/** Throws while the volume is lost, before something is announced that only the loss says: SyndError with the halt's code, worth another try (rule 20). */
export function demandVolume(volume: Pick<Volume, 'halt'>): void {
  const halt = volume.halt()
  if (halt !== null) throw new SyndError(halt.code, halt.message, { retryable: true })
}
