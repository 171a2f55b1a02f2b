import { SyndError } from '../core/errors.ts'
import type { ProblemCode } from '../core/problem.ts'
import type { Clock, Store } from './ports.ts'
import type { ProblemList } from './problem-list.ts'

/** What both problems are about; a file that finds no room is another one. */
const about = 'index'

const codes: readonly ProblemCode[] = ['disk-full', 'index-unwritable']

/** The index as the engine uses it: as long as it cannot be written, which holds up everything, a problem says so. */
export function reportedStore(
  store: Store,
  { problems, clock }: { readonly problems: ProblemList; readonly clock: Clock },
): Store {
  const report = (write: () => void): void => {
    try {
      write()
    } catch (error) {
      if (error instanceof SyndError) {
        const code = error.code === 'no-space' ? 'disk-full' : 'index-unwritable'
        const message = `nothing can be recorded, so nothing is synced: ${error.message}`
        problems.set({ code, path: null, message }, clock.nowMs(), about)
      }
      throw error
    }
    for (const code of codes) problems.clear(code, null, about)
  }
  return {
    identity: () => store.identity(),
    lastCounter: () => store.lastCounter(),
    lastSequence: () => store.lastSequence(),
    get: (path) => store.get(path),
    children: (directory) => store.children(directory),
    hasLiveBelow: (directory) => store.hasLiveBelow(directory),
    all: () => store.all(),
    changesAfter: (sequence, limit) => store.changesAfter(sequence, limit),
    findByDigest: (digest, limit) => store.findByDigest(digest, limit),
    remote: (path) => store.remote(path),
    remoteOf: (peer, path) => store.remoteOf(peer, path),
    unequalRemote: () => store.unequalRemote(),
    unequalRemoteOf: (peer) => store.unequalRemoteOf(peer),
    peers: () => store.peers(),
    peer: (peerId) => store.peer(peerId),
    holds: () => store.holds(),
    releasedHolds: () => store.releasedHolds(),
    recordHolds: (holds) => report(() => store.recordHolds(holds)),
    heldDeletes: () => store.heldDeletes(),
    commit: (transaction) => report(() => store.commit(transaction)),
    close: () => store.close(),
  }
}
