import type { Hands } from '../support/hands.ts'
import { draftPath, demandDirectoryAbove, drawPath, kindOf, pathIn } from './deed-paths.ts'
import { NotPossible, numberIn, type Deed, type Scene } from './deed.ts'
import { ignoreDeeds } from './deeds-ignore.ts'
import { filesBelow } from './contents.ts'
import type { SimPeer } from './sim-peer.ts'
import { supersede } from './supersede.ts'
import type { Values } from './values.ts'

/** Now and then a file is too large to be read at once. */
const largeBytes = 300_000

/** What people and their programs do with files on one host. */
export const fileDeeds = {
  write: onPath(({ hands, values, peer, path }) => {
    demandNoDirectory(hands, path)
    if (kindOf(hands, path) === 'l') hands.remove(path)
    supersede(values, peer, path)
    hands.write(path, values.fresh(peer.name, path))
  }),

  replace: onPath(({ hands, values, peer, path }) => {
    demandNoDirectory(hands, path)
    replace(peer, path, { values, content: () => values.fresh(peer.name, path) })
  }),

  enlarge: onPath(({ hands, values, peer, path }) => {
    demandNoDirectory(hands, path)
    const tail = 'x'.repeat(largeBytes)
    replace(peer, path, { values, content: () => values.fresh(peer.name, path, tail) })
  }),

  mkdir: onPath(({ hands, values, peer, path }) => {
    demandDirectoryAbove(hands, path)
    if (kindOf(hands, path) !== null) throw new NotPossible('something is there')
    supersede(values, peer, path)
    hands.mkdir(path)
  }),

  remove: onPath(({ hands, values, peer, path }) => {
    supersede(values, peer, path)
    hands.remove(path)
  }),

  /** A file becomes a directory, a directory a file. */
  swap: onPath(({ hands, values, peer, path }) => {
    const kind = kindOf(hands, path)
    if (kind === null) throw new NotPossible('nothing to swap')
    supersede(values, peer, path)
    hands.remove(path)
    if (kind === 'd') hands.write(path, values.fresh(peer.name, path))
    else hands.mkdir(path)
  }),

  rename: {
    draw: (random) => [drawPath(random), drawPath(random)],
    act: ({ values }, peer, args) => {
      const { hands } = peer
      const [from, to] = [pathIn(hands, args, 0), pathIn(hands, args, 1)]
      if (from === to || to.startsWith(`${from}/`) || from.startsWith(`${to}/`))
        throw new NotPossible('no such rename')
      const [kind, there] = [kindOf(hands, from), kindOf(hands, to)]
      demandDirectoryAbove(hands, to)
      if (kind === null || there === 'd' || (kind === 'd' && there !== null))
        throw new NotPossible('no such rename')
      supersede(values, peer, to)
      values.moved(filesBelow(hands, from))
      hands.rename(from, to)
    },
  },

  symlink: {
    draw: (random) => [drawPath(random), `target-${random.below(3)}`],
    act: ({ values }, peer, args) => {
      const { hands } = peer
      const path = pathIn(hands, args, 0)
      demandNoDirectory(hands, path)
      supersede(values, peer, path)
      hands.remove(path)
      hands.symlink(args[1] ?? '', path)
    },
  },

  chmod: {
    draw: (random) => [drawPath(random), random.pick(['755', '700', '644', '600'])],
    act: (_, { hands }, args) => {
      const path = pathIn(hands, args, 0)
      const kind = kindOf(hands, path)
      const mode = Number.parseInt(args[1] ?? '', 8)
      if (kind === null || kind === 'l') throw new NotPossible('nothing with a mode')
      hands.chmod(path, kind === 'd' ? mode | 0o700 : mode)
    },
  },

  chown: onPath(({ peer, path }) => {
    const inode = peer.host.disk.tree().get(path)
    inode.owner = { uid: 2000, gid: 2000 }
    peer.host.disk.tree().touched(path, inode, false)
  }),

  /** The mtime is set, mostly back. */
  touch: {
    draw: (random) => [drawPath(random), `${1_600_000_000 + random.below(1_000_000)}`],
    act: (_, { hands }, args) => {
      const path = pathIn(hands, args, 0)
      if (kindOf(hands, path) !== 'f') throw new NotPossible('nothing to touch')
      hands.setMtime(path, numberIn(args, 1) * 1_000_000)
    },
  },

  /** What is at the path lasts a power loss. */
  sync: onPath(({ hands, values, peer, path }) => {
    if (kindOf(hands, path) !== 'f') throw new NotPossible('nothing to sync')
    peer.host.disk.sync(path)
    values.synced(peer.name, hands, path)
  }),

  /** A file is appended to without pause for a while. */
  append: {
    draw: (random) => [drawPath(random), `${10 + random.below(100)}`, `${5 + random.below(2_000)}`],
    act: (scene, peer, args) => {
      const path = pathIn(peer.hands, args, 0)
      if (kindOf(peer.hands, path) !== 'f') throw new NotPossible('nothing to append to')
      keepAppending(scene, peer, { path, times: numberIn(args, 1), everyMs: numberIn(args, 2) })
    },
  },

  ...ignoreDeeds,
} satisfies Record<string, Deed>

interface Doing {
  readonly hands: Hands
  readonly values: Values
  readonly peer: SimPeer
  readonly path: string
}

function onPath(act: (doing: Doing) => void): Deed {
  return {
    draw: (random) => [drawPath(random)],
    act: ({ values }, peer, args) => {
      const { hands } = peer
      act({ hands, values, peer, path: pathIn(hands, args, 0) })
    },
  }
}

/** Another file takes the name; a draft that a power loss left is overwritten. */
function replace(
  peer: SimPeer,
  path: string,
  { values, content }: { values: Values; content: () => string },
): void {
  demandNoDirectory(peer.hands, draftPath)
  if (kindOf(peer.hands, draftPath) === 'l') throw new NotPossible('a link is there')
  supersede(values, peer, draftPath)
  supersede(values, peer, path)
  peer.hands.replace(path, content())
}

function demandNoDirectory(hands: Hands, path: string): void {
  demandDirectoryAbove(hands, path)
  if (kindOf(hands, path) === 'd') throw new NotPossible('a directory is there')
}

function keepAppending(
  scene: Scene,
  peer: SimPeer,
  { path, times, everyMs }: { path: string; times: number; everyMs: number },
): void {
  const { host } = peer
  scene.going.count++
  const next = (left: number): void => {
    const { hands } = host
    if (left === 0 || peer.isOff || kindOf(hands, path) !== 'f') {
      scene.going.count--
      return
    }
    supersede(scene.values, peer, path)
    // What nobody else appends: the same content twice would be no conflict.
    hands.append(path, peer.name.slice(1))
    scene.values.add(hands.read(path) ?? '', peer.name, path)
    scene.time.after(everyMs, () => next(left - 1))
  }
  next(times)
}
