import { between } from './deeds-between.ts'
import { fileDeeds } from './deeds-files.ts'
import { hostDeeds } from './deeds-hosts.ts'
import { wireDeeds } from './deeds-wire.ts'
import type { Deed } from './deed.ts'

const all = { ...fileDeeds, ...hostDeeds, ...wireDeeds, between }

export type DeedName = keyof typeof all

/** Every kind of step there is. */
export const deeds: ReadonlyMap<string, Deed> = new Map<string, Deed>(Object.entries(all))

/** After one of these ids and counters may be in use twice for a while: less can be demanded of a history that has them. */
export const disasters: ReadonlySet<string> = new Set<DeedName>([
  'restore',
  'restore-disk',
  'lose-index',
  'clone',
  'rsync',
  'power',
  'start-until',
])
