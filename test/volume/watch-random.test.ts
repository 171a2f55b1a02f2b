import { expect, test } from 'vitest'

import {
  diskVolume,
  follow,
  scansIn,
  unwatchedDirectories,
  until,
  type DiskVolume,
} from './watch-fixture.ts'

const seed = Number(process.env['WATCH_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const rounds = Number(process.env['WATCH_ROUNDS'] ?? 40)

test(`whatever is done to the tree, who follows the hints ends with it (WATCH_SEED=${seed})`, async () => {
  const volume = diskVolume()
  const random = generator(seed)
  const follower = await follow(volume)
  try {
    for (let round = 0; round < rounds; round++) {
      await change(volume, random)
      await follower.caughtUp()
      await until(async () => (await unwatchedDirectories(volume)).length === 0)
    }
    expect(scansIn(follower.hints)).toBe(1)
  } finally {
    await follower.stop()
    volume.dispose()
  }
}, 300_000)

/** Up to 40 changes with few names, so that they meet; the watcher gets a turn, or none, between them. */
async function change(volume: DiskVolume, random: (below: number) => number): Promise<void> {
  const names = ['a', 'b', 'a\\b', '\xff', 'n\nl', 'é']
  const path = () =>
    Array.from({ length: random(4) + 1 }, () => names[random(names.length)]).join('/')
  const actions = [
    () => volume.makeDirectory(path()),
    () => volume.makeDirectory(path()),
    () => volume.write(path(), `${random(1000)}`),
    () => volume.append(path(), '+'),
    () => volume.remove(path()),
    () => volume.rename(path(), path()),
    () => volume.makeLink(path(), 'a/b'),
    () => volume.setMode(path(), 0o700 + random(8)),
    () => {
      const again = path()
      volume.remove(again)
      volume.makeDirectory(again)
      volume.write(`${again}/file`, `${random(1000)}`)
    },
  ]
  for (let left = random(40); left >= 0; left--) {
    try {
      actions[random(actions.length)]?.()
    } catch {
      // What cannot be done to this tree is not done.
    }
    if (random(6) === 0) await new Promise((resolve) => setImmediate(resolve))
    if (random(12) === 0) await new Promise((resolve) => setTimeout(resolve, random(4)))
  }
}

/** Numbers from 0 to below the argument; xorshift32. */
function generator(start: number): (below: number) => number {
  let state = start | 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}
