import { createHash } from 'node:crypto'
import { parseDigest, type Sha256 } from '../../src/core/digest.ts'
import type { Entry } from '../../src/core/entry.ts'
import type { Observation } from '../../src/core/observation.ts'
import type { SyncMode } from '../../src/core/protocol.ts'
import { parseRelativePath, type RelativePath } from '../../src/core/relative-path.ts'
import { Census } from '../../src/engine/census.ts'
import { Ledger, type Put } from '../../src/engine/ledger.ts'
import { Peers } from '../../src/engine/links/peers.ts'
import type { Observer } from '../../src/engine/ports.ts'
import { ProblemList } from '../../src/engine/problem-list.ts'
import { DirtyPaths } from '../../src/engine/publish/dirty-paths.ts'
import { Stamping } from '../../src/engine/publish/stamping.ts'
import { Inbox } from '../../src/engine/pull/inbox.ts'
import { Self } from '../../src/engine/self.ts'
import { observation } from '../conformance/store-fixtures.ts'
import { peer } from '../core/build.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { Random } from '../support/random.ts'
import { VirtualClock, VirtualTime } from '../support/virtual-clock.ts'

/** What the units of the engine stand on, in memory and under a virtual clock. `store` is one that another life left. */
export function engineParts({
  store = new MemoryStore({ peerId: peer('a') }),
  seed = 1,
  hash = sha256,
  mode = 'send-receive',
}: {
  readonly store?: MemoryStore
  readonly seed?: number
  /** Something faster, for tests to which no digest of a tree matters. */
  readonly hash?: Sha256
  readonly mode?: SyncMode
} = {}) {
  const time = new VirtualTime()
  const clock = new VirtualClock({ time })
  const chance = new Random(seed)
  const observer = new RecordedObserver()
  const self = new Self({ store, clock, chance })
  const peers = new Peers({ store })
  const census = new Census({ sha256: hash })
  const ledger = new Ledger({ store, self, census })
  ledger.load()
  return {
    time,
    clock,
    chance,
    store,
    observer,
    self,
    census,
    ledger,
    inbox: new Inbox({ clock, chance }),
    peers,
    problems: new ProblemList(),
    dirty: new DirtyPaths(),
    stamping: new Stamping({ store, peers, self, clock, sha256: hash, keepsModes: true, mode }),
    mode,
  }
}

export const sha256: Sha256 = (latin1) =>
  parseDigest(createHash('sha256').update(latin1, 'latin1').digest('hex'))

export function path(text: string): RelativePath {
  return parseRelativePath(text)
}

export function paths(...texts: readonly string[]): RelativePath[] {
  return texts.map(path)
}

/** A record as a change seen here commits it. */
export function put(entry: Entry, parts: Partial<Put> = {}): Put {
  return { entry, observation: seenOf(entry), isAnnounced: true, seenMs: null, ...parts }
}

function seenOf({ kind }: Entry): Observation | null {
  return kind === 'tombstone' ? null : observation({ kind })
}

/** Keeps what was reported as lines. */
export class RecordedObserver implements Observer {
  readonly lines: string[] = []

  log(level: string, message: string): void {
    this.lines.push(`${level}: ${message}`)
  }

  notified(peer: string, direction: string, entries: number): void {
    this.lines.push(`${direction} ${entries} ${peer}`)
  }

  pulled(peer: string, sizeBytes: number): void {
    this.lines.push(`pulled ${sizeBytes} ${peer}`)
  }

  transferFailed(peer: string, reason: string): void {
    this.lines.push(`transfer failed ${reason} ${peer}`)
  }

  propagated(peer: string, seconds: number): void {
    this.lines.push(`propagated ${seconds} ${peer}`)
  }

  rejected(surface: string, reason: string): void {
    this.lines.push(`rejected ${surface} ${reason}`)
  }

  conflicted(): void {
    this.lines.push('conflicted')
  }

  scanned(): void {}
  watchEvents(): void {}
  watchOverflowed(): void {}
  watchDegraded(): void {}
}
