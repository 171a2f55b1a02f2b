import type { Transaction } from '../../src/engine/ports.ts'

/** What a process does to its host and its peers. A new effect is added here, so that histories come to it. */
const effects = [
  'chmod/staging',
  'chmod/volume',
  'chown/staging',
  'commit',
  'commit/forgotten',
  'commit/holds',
  'commit/identity',
  'commit/recorded',
  'commit/recorded/identity',
  'commit/records',
  'commit/records/holds',
  'commit/remote/recorded',
  'copy/hold/staging',
  'copy/volume/staging',
  'create/own',
  'create/staging',
  'hello',
  'link/hold/volume',
  'link/staging/volume',
  'link/volume/hold',
  'link/volume/staging',
  'mkdir/own',
  'mkdir/volume',
  'pull',
  'record-holds',
  'rename/own/own',
  'rename/staging/volume',
  'rename/volume/hold',
  'rmdir/volume',
  'send',
  'symlink/staging',
  'sync-directory/own',
  'sync-directory/root',
  'sync-directory/volume',
  'sync-file/own',
  'sync-file/staging',
  'sync-file/volume',
  'unlink/hold',
  'unlink/own',
  'unlink/staging',
  'utimes/staging',
  'utimes/volume',
  'write/own',
  'write/staging',
] as const

/** The same, where deletes are held back (rule 19). */
const effectsOfBrake = [
  'commit/held-deletes',
  'commit/records/held-deletes',
  'commit/records/holds/held-deletes',
] as const

/** Tried to see what the kernel says, and always refused: there is no after. */
const refused = ['rmdir/own'] as const

/** Where a process can end with or without a delete brake: those of which histories draw some. */
export const usualCrashPoints: readonly string[] = [
  ...effects.flatMap((effect) => [`before/${effect}`, `after/${effect}`]),
  ...refused.map((effect) => `before/${effect}`),
]

/** Where a process can end that has a delete brake, and no other. */
export const brakeCrashPoints: readonly string[] = effectsOfBrake.flatMap((effect) => [
  `before/${effect}`,
  `after/${effect}`,
])

/** Points that only a start after an unfinished one comes to, with where that one ended. */
export const unfinishedBefore: ReadonlyMap<string, string> = new Map(
  ['before/unlink/own', 'after/unlink/own'].map((point) => [point, 'before/rename/own/own']),
)

/** Names for what a crash may come before or after: an operation with the places that it is about, or what a commit holds. */
export function diskPoint(operation: string, path: string, to: string | null): string {
  return [operation, placeOf(path), ...(to === null ? [] : [placeOf(to)])].join('/')
}

export function commitPoint(transaction: Transaction): string {
  const { records = [], remote = [], releasedHolds = [], forgotten = [] } = transaction
  const { recorded, heldDeletes, identity } = transaction
  const parts = [
    records.length > 0 ? 'records' : null,
    remote.length > 0 ? 'remote' : null,
    recorded === undefined ? null : 'recorded',
    releasedHolds.length > 0 ? 'holds' : null,
    forgotten.length > 0 ? 'forgotten' : null,
    (heldDeletes?.added ?? heldDeletes?.removed ?? []).length > 0 ? 'held-deletes' : null,
    identity === undefined ? null : 'identity',
  ]
  return ['commit', ...parts.filter((part) => part !== null)].join('/')
}

const places = ['staging', 'hold', 'granted'] as const

function placeOf(path: string): string {
  if (path === '') return 'root'
  if (path !== '.synd' && !path.startsWith('.synd/')) return 'volume'
  return places.find((place) => path.startsWith(`.synd/${place}/`)) ?? 'own'
}
