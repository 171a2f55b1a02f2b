import type { Record, Snapshots } from './record.ts'
import { valueOf, type Snapshot } from './snapshot.ts'

/** `<stem>.sync-conflict-<day>-<time>-<8 hex><extension>` (README) */
const copyName = /^(.*)\.sync-conflict-\d{8}-\d{6}-[0-9a-f]{8}(\.[^/.]*)?$/

/**
 * What is wrong at rest, in words; empty: nothing. `before` is how all volumes were when everything was equal last, `now` how they are, and the
 * record what the users did in between.
 */
export function complaintsOf(record: Record, before: Snapshots, now: Snapshots): string[] {
  const found = [...unequal(now), ...disturbed(record, before, now)]
  const [tree] = now.values()
  if (tree === undefined) return found
  return [
    ...found,
    ...values(record, tree),
    ...notAsLeft(record, now),
    ...needlessCopies(record, [...before.values()][0], tree),
  ]
}

/** All trees are equal byte for byte. */
function unequal(now: Snapshots): string[] {
  const [[first, tree] = ['', new Map()], ...others] = now
  return others.flatMap(([name, other]) =>
    [...new Set([...tree.keys(), ...other.keys()])]
      .filter((path) => tree.get(path)?.shown !== other.get(path)?.shown)
      .map(
        (path) =>
          `${path} differs: ${first} has ${tree.get(path)?.shown}, ${name} has ${other.get(path)?.shown}`,
      ),
  )
}

/** What nobody touched is unchanged on every member: kind, mode, bytes, time, and the very inode. */
function disturbed(record: Record, before: Snapshots, now: Snapshots): string[] {
  const complaints: string[] = []
  for (const [name, tree] of before) {
    for (const [path, seen] of tree) {
      const is = now.get(name)?.get(path)
      if (record.touchedBy.has(path) || isSame(seen, is)) continue
      const changes = `was ${seen.shown} (${seen.inode}), is ${is?.shown} (${is?.inode})`
      complaints.push(`${path} was touched by nobody and changed on ${name}: ${changes}`)
    }
  }
  return complaints
}

/** Every value that nobody replaced or deleted is there, none that was gone is back, and nothing is there that nobody wrote. */
function values(record: Record, tree: Snapshot): string[] {
  const complaints: string[] = []
  const there = new Set<string>()
  for (const [path, { shown }] of tree) {
    const value = valueOf(shown)
    if (value === null) continue
    there.add(value)
    if (!record.names.has(value)) complaints.push(`${path} holds what nobody wrote: ${shown}`)
    if (record.gone.has(value))
      complaints.push(`${path} holds what was gone: ${record.names.get(value)}`)
  }
  for (const [value, { path }] of record.required) {
    if (!there.has(value)) complaints.push(`lost: ${record.names.get(value)}, last at ${path}`)
  }
  return complaints
}

/** What one member alone did, there, above and below, stands as it was left; what all who were there deleted is gone. */
function notAsLeft(record: Record, now: Snapshots): string[] {
  const complaints: string[] = []
  for (const [path, { member, seen }] of record.left) {
    if (record.touchersAround(path).size > 1) continue
    const is = now.get(member)?.get(path)
    if (seen === null ? is === undefined : isSame(seen, is)) continue
    const changes = `left ${seen?.shown} (${seen?.inode}), is ${is?.shown} (${is?.inode})`
    complaints.push(`${path} is not as ${member} alone left it: ${changes}`)
  }
  return complaints
}

/** No conflict copy of what only one member touched. */
function needlessCopies(record: Record, before: Snapshot | undefined, tree: Snapshot): string[] {
  return [...tree.keys()]
    .filter((path) => before?.has(path) !== true && !record.touchedBy.has(path))
    .flatMap((path) => {
      const [, stem, extension = ''] = copyName.exec(path) ?? []
      if (stem === undefined) return [`${path} was made by nobody`]
      const touchers = record.touchersAround(stem + extension)
      return touchers.size > 1 ? [] : [`${path} is a conflict copy of what had no conflict`]
    })
}

function isSame(
  a: { readonly shown: string; readonly inode: number },
  b: { readonly shown: string; readonly inode: number } | undefined,
): boolean {
  return a.shown === b?.shown && a.inode === b.inode
}
