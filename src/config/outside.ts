import { join } from 'node:path'
import { reservedName } from '../core/relative-path.ts'
import { badValue, givenOf, type GivenSettings } from './given.ts'
import { isWithin, placesOf, realPlaceOf } from './places.ts'
import type { Values } from './schema.ts'

/** Files that prove who we are or decide who is trusted: never among what is synced. */
const trustFiles = [
  'sshKey',
  'sshKeyPassphraseFile',
  'sshAuthorizedKeys',
  'sshKnownHosts',
  'tlsCert',
  'tlsKey',
  'tlsCa',
] as const

/**
 * Whether what must not be synced lies outside the volume, symlinks followed: one that leads into the volume gives a key away, one that lies
 * in the volume lets the peers choose the file. Throws `bad-settings`.
 */
export function demandOutside(values: Values, stateDir: string, given: GivenSettings): void {
  const { volume } = values
  const root = realPlaceOf(volume)
  const own = join(root, reservedName)
  const state = placesOf(stateDir).find((place) => isWithin(place, root) && !isWithin(place, own))
  if (state !== undefined) {
    const expected = `a directory outside SYND_VOLUME (${volume}), where it would be synced`
    const said = givenOf('stateDir', given, stateDir)
    throw badValue('stateDir', said, expected + leadingTo(state, stateDir))
  }
  for (const name of trustFiles) {
    const path = values[name]
    if (path === null) continue
    const place = placesOf(path).find((each) => isWithin(each, root))
    if (place === undefined) continue
    const expected = `a file outside SYND_VOLUME (${volume}), where the peers would get it`
    throw badValue(name, givenOf(name, given, path), expected + leadingTo(place, path))
  }
}

/** Who wrote a path that looks fine must learn what is wrong with it. */
function leadingTo(place: string, path: string): string {
  return place === path ? '' : ` (it leads to ${place})`
}
