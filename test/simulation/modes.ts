import { contentDigest } from '../../src/core/entry.ts'
import { syncModes } from '../../src/core/protocol.ts'
import { coversDot } from '../../src/core/version-vector.ts'
import type { Store, Transaction } from '../../src/engine/ports.ts'
import { Random } from '../support/random.ts'
import { drawHistory } from './draw.ts'
import type { History } from './history.ts'
import type { SimPeer } from './sim-peer.ts'

/** The history that a seed stands for, of peers whose modes differ; one at least sends and receives. */
export function drawModesHistory(
  seed: number,
  steps: { atLeast: number; atMost: number },
): History {
  const random = new Random(seed ^ 0x30de5)
  const history = drawHistory(seed, steps, ['work'])
  const peers = Math.max(history.peers, 2)
  const plain = random.below(peers)
  const modes = Array.from({ length: peers }, (_, index) =>
    index === plain ? 'send-receive' : random.pick(syncModes),
  )
  return { ...history, peers, topology: random.pick(['mesh', 'mesh', history.topology]), modes }
}

/** Rule M2: what others wrote and a send-only peer has stamped over is superseded by whoever changed it there. */
export function overwrittenBy(
  { records = [] }: Transaction,
  store: Pick<Store, 'identity' | 'remote'>,
): Set<string> {
  const { peerId } = store.identity()
  const digests = new Set<string>()
  for (const { entry } of records) {
    if (entry.contentDot.peer !== peerId && entry.metadataDot.peer !== peerId) continue
    for (const remote of store.remote(entry.path)) {
      const digest = contentDigest(remote.entry)
      const isCovered = coversDot(entry.version, remote.entry.contentDot)
      if (digest !== null && isCovered && digest !== contentDigest(entry)) digests.add(digest)
    }
  }
  return digests
}

/**
 * What holds in a mesh once nothing happens any more: who sends and receives has the same as all others who do; what a receive-only peer
 * has besides is listed; what a send-only peer has otherwise is counted. In words what does not hold, or null.
 */
export function faultApart(peers: readonly SimPeer[]): string | null {
  const [model, ...plain] = peers.filter(({ mode }) => mode === 'send-receive')
  if (model === undefined) throw new Error('nobody sends and receives')
  for (const peer of plain) {
    const [path] = differing(model, peer)
    if (path !== undefined) return `${model.name} and ${peer.name} differ at ${path}`
  }
  for (const peer of peers) {
    const status = peer.engine?.status()
    if (status === undefined) return `${peer.name} is not up`
    const apart = differing(model, peer)
    if (apart.length > status.volume.diverged)
      return `${peer.name} counts ${status.volume.diverged} paths apart of ${apart.join(', ')}`
    if (status.volume.diverged > 0 && status.inSync) return `${peer.name} is apart and in sync`
    const listed = new Set(
      status.problems.filter(({ code }) => code === 'local-change').map(({ path }) => path),
    )
    const unlisted = apart.find((path) => !listed.has(path))
    if (peer.mode === 'receive-only' && unlisted !== undefined)
      return `${peer.name} does not list ${unlisted}`
  }
  return null
}

/** Paths of which two disks have not the same. */
function differing(a: SimPeer, b: SimPeer): string[] {
  const [first, second] = [a.hands.tree(), b.hands.tree()]
  const paths = new Set([...first.keys(), ...second.keys()])
  return [...paths].filter((path) => first.get(path) !== second.get(path))
}
