import { brakeDeeds } from './deeds-brake.ts'
import { between } from './deeds-between.ts'
import { fileDeeds } from './deeds-files.ts'
import { hostDeeds } from './deeds-hosts.ts'
import { wireDeeds } from './deeds-wire.ts'
import type { Deed } from './deed.ts'

const all = { ...fileDeeds, ...hostDeeds, ...wireDeeds, ...brakeDeeds, between }

export type DeedName = keyof typeof all

/** Every kind of step there is. */
export const deeds: ReadonlyMap<string, Deed> = new Map<string, Deed>(Object.entries(all))
