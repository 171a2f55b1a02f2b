import type { PeerId } from '../../src/core/peer-id.ts'
import type { VersionVector } from '../../src/core/version-vector.ts'
import type { Backup, Host } from './host.ts'
import type { Values } from './values.ts'

/** One index that went on twice under one id: on a host and its copy, or before a backup was restored and after. */
interface Fork {
  readonly peerId: PeerId
  /** Counters above this were issued after it. */
  readonly counter: number
  readonly sinceMs: number
  readonly branches: Branch[]
}

interface Branch {
  /** Who wrote what it has since the fork: the host, and the one that it is a copy of. */
  readonly names: readonly string[]
  /** Null: it ended with the disk that was replaced. */
  readonly host: Host | null
  /** It issued a counter after the fork. */
  hasIssued: boolean
}

interface Named {
  readonly name: string
  readonly host: Host
}

/**
 * Where two branches of one index both issued counters before either was told, one seems to have seen what the other wrote (rule 1):
 * values written on them since the fork may then be lost, and nobody could have known.
 */
export class Forks {
  readonly #forks: Fork[] = []

  /** `host` goes on from an older index; until now it had gone on from there to the counter `before`. */
  rolledBack({ name, host }: Named, before: number, { store, atMs }: Backup): void {
    const counter = store.lastCounter()
    const { peerId } = store.identity()
    const hasIssued = before > counter
    this.#forks.push({
      peerId,
      counter,
      sinceMs: atMs,
      branches: [
        { names: [name], host: null, hasIssued },
        { names: [name], host, hasIssued: false },
      ],
    })
  }

  /** The host `copy` became a copy of `original`, and so of all that have the same id, or had it. */
  cloned(copy: Named, original: Named, peers: readonly Named[], nowMs: number): void {
    const { peerId } = copy.host
    for (const other of peers) {
      const isSame = other.host.peerId === peerId || other.host.issuedAs(peerId) > 0
      if (other === copy || !isSame) continue
      const counter = Math.min(copy.host.counter, other.host.issuedAs(peerId))
      const branches = [other, copy].map(({ name, host }) => {
        const names = host === copy.host ? [name, original.name] : [name]
        return { names, host, hasIssued: host.issuedAs(peerId) > counter }
      })
      this.#forks.push({
        peerId,
        counter,
        sinceMs: this.#sinceMs(peerId, other) ?? nowMs,
        branches,
      })
    }
  }

  /** A copy of a copy left `host` when the first one did. */
  #sinceMs(peerId: PeerId, { host }: Named): number | undefined {
    return this.#forks.find(
      (fork) => fork.peerId === peerId && fork.branches.some((branch) => branch.host === host),
    )?.sinceMs
  }

  /** An id that went on twice issued a counter of that version after it did: it may stand for two contents. */
  isDoubtful(version: VersionVector): boolean {
    return this.#forks.some(({ peerId, counter }) => (version.get(peerId) ?? 0) > counter)
  }

  /** To be called often: forgives what forks may have cost. */
  forgive(values: Values): void {
    for (const { peerId, counter, sinceMs, branches } of this.#forks) {
      for (const branch of branches) {
        if ((branch.host?.issuedAs(peerId) ?? 0) > counter) branch.hasIssued = true
      }
      if (branches.filter(({ hasIssued }) => hasIssued).length < 2) continue
      const names = new Set(branches.flatMap((branch) => branch.names))
      values.forgive((_, { host, writtenMs }) => !names.has(host) || writtenMs < sinceMs)
    }
  }
}
