import { SyndError } from './errors.ts'

declare const brand: unique symbol

/** Identifies one index on one host: 64 random bits as 16 lower-case hex digits (rule 1). */
export type PeerId = string & { readonly [brand]: 'PeerId' }

/** Throws `bad-entry` for anything but 16 lower-case hex digits. */
export function parsePeerId(text: string): PeerId {
  if (!/^[0-9a-f]{16}$/.test(text))
    throw new SyndError('bad-entry', `peer id "${text}" is not 16 hex digits`)
  return text as PeerId
}

/** A random number drawn at every process start: tells two lives of one peer apart. 16 hex digits. */
export type Epoch = string & { readonly [brand]: 'Epoch' }

/** Throws `bad-entry` for anything but 16 lower-case hex digits. */
export function parseEpoch(text: string): Epoch {
  if (!/^[0-9a-f]{16}$/.test(text))
    throw new SyndError('bad-entry', `epoch "${text}" is not 16 hex digits`)
  return text as Epoch
}
