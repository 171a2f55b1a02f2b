/**
 * What the engine needs of the world. The real adapters are in volume, store, rpc and transfer; the simulation has
 * the same in memory. Each port has one conformance suite that both pass (test/conformance).
 */
import type { Loser } from '../core/conflict.ts'
import type { Digest } from '../core/digest.ts'
import type { Entry, FileEntry, LiveEntry } from '../core/entry.ts'
import type { IgnoreRules } from '../core/ignore.ts'
import type { Hold, IndexRecord, RemoteRecord } from '../core/index-record.ts'
import type { Look, Observation } from '../core/observation.ts'
import type { Epoch, PeerId } from '../core/peer-id.ts'
import type { ProblemCode } from '../core/problem.ts'
import type {
  Announcement,
  Hello,
  HelloAnswer,
  Reply,
  Sequence,
  SourceOffer,
} from '../core/protocol.ts'
import type { RelativePath } from '../core/relative-path.ts'

export interface Clock {
  /** Wall clock, milliseconds since 1970; may jump. */
  nowMs(): number
  /** Never goes back; the start is arbitrary. */
  monotonicMs(): number
  /** Resolves after `delayMs`, at once when the signal is aborted already or becomes so. Never rejects. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
  /** Lets everything else that is ready run. */
  yield(): Promise<void>
}

export interface Chance {
  /** 64 random bits as 16 hex digits. */
  id64(): string
  /** 0 <= x < 1 */
  fraction(): number
}

// ── store ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** One atomic change of the store; durable when `commit` returns (durability full). */
export interface Transaction {
  /** Put or replaced, by path. */
  readonly records?: readonly IndexRecord[]
  /** Index records that leave without a tombstone (rule 14); they leave before `records` are put. */
  readonly forgotten?: readonly RelativePath[]
  /** Everything that peers announced leaves, before `remote` is put: all of it will be told anew (rule 1). */
  readonly isRemoteForgotten?: boolean
  /** What `peer` announced, replacing what it announced of the same paths before. */
  readonly remote?: readonly RemoteRecord[]
  readonly recorded?: readonly PeerRecord[]
  /** Ids of holds that are let go: their files may be removed from now on. */
  readonly releasedHolds?: readonly string[]
  /** Ids of released holds whose files are gone; they leave before `releasedHolds` come. */
  readonly unlinkedHolds?: readonly string[]
  readonly heldDeletes?: {
    readonly added?: readonly RelativePath[]
    readonly removed?: readonly RelativePath[]
  }
  /** Durable when the commit returns, whatever durability is set. */
  readonly identity?: Identity
  /** Highest counter issued so far (rule 2); a lower one than before changes nothing. */
  readonly lastCounter?: number
}

/** What is kept of another peer. */
export interface PeerRecord {
  readonly peerId: PeerId
  /** Its epoch when `sequence` was recorded. */
  readonly epoch: Epoch
  /** Everything up to here is in the remote table. */
  readonly sequence: Sequence
  /** The fingerprint of the key that first showed this id. */
  readonly key: string
  readonly name: string
}

/** Who this index is (rule 1). */
export interface Identity {
  readonly peerId: PeerId
  /** One for each start, oldest first; each with the last sequence of its time. At most 1,000 are kept. */
  readonly epochs: readonly { readonly epoch: Epoch; readonly lastSequence: Sequence }[]
  /** Joining until joined (rule 9). */
  readonly isJoined: boolean
  /** Inode and birth time of `.synd/volume-id`, as text; null before it was first seen. */
  readonly volumeMark: string | null
  /** The kernel's boot id at the last start, and whether that life ended cleanly (rule 23). */
  readonly bootId: string | null
  readonly isClean: boolean
}

/** The index and what peers told (rule 16). All calls are synchronous; errors are SyndErrors `store-damaged`, `no-space`, `io`. */
export interface Store {
  identity(): Identity
  lastCounter(): number
  /** Highest sequence ever committed. */
  lastSequence(): Sequence
  get(path: RelativePath): IndexRecord | null
  /** Live records directly in `directory` (null: the root), in byte order. */
  children(directory: RelativePath | null): readonly IndexRecord[]
  /** True when some live record lies anywhere below `directory`. */
  hasLiveBelow(directory: RelativePath): boolean
  /** Every record, in byte order of paths; a snapshot may be read while commits happen. */
  all(): Iterable<IndexRecord>
  /** Records with a greater sequence, in its order. */
  changesAfter(sequence: Sequence, limit: number): readonly IndexRecord[]
  /** Paths of live files with this content, at most `limit`, in no particular order. */
  findByDigest(digest: Digest, limit: number): readonly RelativePath[]
  /** The latest of every peer for the path. */
  remote(path: RelativePath): readonly RemoteRecord[]
  /** What `peer` last announced of the path. */
  remoteOf(peer: PeerId, path: RelativePath): RemoteRecord | null
  /** Every remote record whose version is not letter for letter the one in the index, or whose content or metadata is not (rule 6). */
  unequalRemote(): Iterable<RemoteRecord>
  /** Those of one peer, by sequence. */
  unequalRemoteOf(peer: PeerId): Iterable<RemoteRecord>
  peers(): readonly PeerRecord[]
  peer(peerId: PeerId): PeerRecord | null
  holds(): readonly Hold[]
  /** Those that were let go and are not known to be gone: a crash may have come before their files were removed. */
  releasedHolds(): readonly string[]
  /** Outside any transaction, durable at once: written before the files are moved (rule 22). */
  recordHolds(holds: readonly Hold[]): void
  heldDeletes(): readonly RelativePath[]
  commit(transaction: Transaction): void
  close(): void
}

// ── volume ─────────────────────────────────────────────────────────────────────────────────────────────────────

export interface ChildLook {
  /** Latin1, one component; may be a name that is never synced. */
  readonly name: string
  readonly look: Look
}

export type Listing =
  | { readonly kind: 'listed'; readonly children: Iterable<ChildLook> }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable'; readonly message: string }

/** What is in a file, as far as anybody announces it. */
export interface KnownContent {
  readonly sizeBytes: number
  readonly digest: Digest
}

export type Digested =
  | { readonly kind: 'digested'; readonly digest: Digest; readonly target: string | null }
  /** The file grows: this is of as many bytes as were observed, and they begin with what was known of it. */
  | { readonly kind: 'growing'; readonly digest: Digest }
  /** The path is no longer as observed: look again. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'unreadable'; readonly message: string }

/** What a stage will hold; with the mode and mtime that it will be published with, they reach the disk along with the bytes. */
export interface StageExpectation {
  readonly sizeBytes: number
  readonly digest: Digest
  readonly metadata?: { readonly mode: number; readonly mtimeUs: number }
}

/** A file being received in `.synd/staging`. */
export interface Stage {
  write(chunk: Uint8Array): Promise<void>
  /** Throws `digest-mismatch` unless size and digest are as expected. */
  finish(): Promise<void>
  /** Removes it; harmless after publishing. */
  discard(): Promise<void>
  /** For another thread that writes the file, in place of `write` and `finish`; null or absent where it has no descriptor. */
  share?(): SharedStage | null
}

/** A stage whose file another thread writes, from its start. */
export interface SharedStage {
  readonly fd: number
  /** Throws as `Stage.finish`; the thread must be done with `fd`. */
  finish(content: { readonly sizeBytes: number; readonly digest: Digest }): Promise<void>
}

/** One step on the disk; `expected` is what the index says is there (null: nothing). */
export type Change =
  | {
      readonly kind: 'publish'
      readonly entry: FileEntry
      readonly stage: Stage
      readonly expected: Observation | null
    }
  /** Directory or symlink; also over a file or link that is expected there. */
  | { readonly kind: 'make'; readonly entry: LiveEntry; readonly expected: Observation | null }
  /** Mode, and for files mtime, of what is there. */
  | { readonly kind: 'set-metadata'; readonly entry: LiveEntry; readonly expected: Observation }
  | { readonly kind: 'remove'; readonly path: RelativePath; readonly expected: Observation }
  /**
   * Renames the file at `from` to the entry's name, which nothing has. Applied without a hold: the entry has its name, and what is at `from` by now is
   * another file and stays. `changed` where it cannot be done so.
   */
  | { readonly kind: 'move'; readonly entry: FileEntry; readonly from: ExpectedFile }

/** What the index says is at a path. */
export interface ExpectedFile {
  readonly path: RelativePath
  readonly expected: Observation
}

export type Applied =
  /** `displaced`: what was replaced had been changed meanwhile and must become a conflict copy; the hold keeps it. */
  | {
      readonly kind: 'applied'
      readonly observation: Observation | null
      readonly hold: string | null
      readonly displaced: boolean
    }
  /** The disk is not as expected: nothing was done. */
  | { readonly kind: 'changed' }
  /** A directory that still has unsyncable or ignored things in it stays (rule 14). */
  | { readonly kind: 'not-empty' }
  | { readonly kind: 'failed'; readonly code: ProblemCode; readonly message: string }

export type VolumeHalt = {
  readonly code: 'volume-missing' | 'volume-foreign' | 'volume-unreadable'
  readonly message: string
}

/** The directory that is kept equal. Looks are synchronous and follow no link in any component (rule 20, G10). */
export interface Volume {
  /** Whether the volume is still the one that was opened; null: it is. */
  halt(): VolumeHalt | null
  /** Of null: at the volume's root. */
  look(path: RelativePath | null): Look
  /** A look at each path; those of one directory that follow each other cost little more than one. */
  lookEach(paths: readonly RelativePath[]): readonly Look[]
  /** Children are looked at while they are iterated; stop early by `return`. */
  list(directory: RelativePath | null): Listing
  /** What `.syndignore` says now; in words why that cannot be known (rule 14). */
  readIgnoreRules(): Promise<IgnoreRules | string>
  /**
   * SHA-256 of a file or a symlink's text, provided it is as observed before and after, or is a file to which something is appended: it goes on as
   * `known`, the content that the index has.
   */
  digest(path: RelativePath, observed: Observation, known?: KnownContent | null): Promise<Digested>
  createStage(expected: StageExpectation): Promise<Stage>
  /** A verified stage with the bytes that are at `path` (reflink or copy), or null when they are no longer those. */
  stageFromLocal(path: RelativePath, expected: StageExpectation): Promise<Stage | null>
  /** A verified stage made of a held file, with what it holds; null when there is no such file. Throws `io` while somebody writes it. */
  stageFromHold(
    id: string,
  ): Promise<{ stage: Stage; digest: Digest; sizeBytes: number; observation: Observation } | null>
  /**
   * Keeps what is at the loser's path in `.synd/quarantine`, durable after `syncDirectories` (rule 9). False: the path holds something else by
   * now, or there is no place for it. Throws as a stage does.
   */
  putAside(loser: Loser): Promise<boolean>
  /** How many files and links are in quarantine. */
  asideCount(): number
  /**
   * Brings finished stages to the disk (durability full), many at once. Each is brought there before it gets its name anyhow: this only costs
   * less. Throws `no-space` or `io`; some of them are gone then.
   */
  syncStages(stages: readonly Stage[]): Promise<void>
  /**
   * Records the holds of changes that are about to take files away, all at one go; gives their ids. What is not prepared so each change records by
   * itself. A hold that was not needed keeps nothing (`lookHold`) and can be released.
   */
  prepareHolds(files: readonly ExpectedFile[]): readonly string[]
  apply(change: Change): Promise<Applied>
  /** A hint: what cannot be set stays as it is (rule 12). */
  setDirectoryTime(path: RelativePath, mtimeUs: number): void
  /** The names at these paths were changed by whoever: their directories are synced with the next `syncDirectories`. */
  noteNames(paths: Iterable<RelativePath>): void
  /** Syncs every directory that was changed since the last call (durability full). */
  syncDirectories(): Promise<void>
  /** All files in hold, recorded or not. */
  heldIds(): readonly string[]
  /** One look at a held file: nobody wrote into it since it was taken if that is `sameBytes` with the hold's `expected`. */
  lookHold(id: string): Look
  /**
   * Removes what a former life left in staging. Not before everything was looked at: taking away a second name moves the ctime of a file, and
   * tells after a power loss from a change (rule 23).
   */
  sweep(): void
  /** Removes held files whose fate the index knows. */
  releaseHolds(ids: readonly string[]): Promise<void>
  /** Whether modes stick on this file system (rule 13). */
  readonly keepsModes: boolean
  readonly keepsSymlinks: boolean
}

/** What the watcher hints at. */
export type WatchHint =
  /** Something happened at these paths; a directory's subtree is scanned when it is new. */
  | { readonly kind: 'dirty'; readonly paths: readonly RelativePath[] }
  /** A directory whose children must be listed; null: the root. */
  | { readonly kind: 'list'; readonly directory: RelativePath | null }
  /** Look at everything: always the first hint, for what happened before it was not seen; and each time a watcher polls. */
  | { readonly kind: 'scan' }
  /** Events may have been lost: look at everything. */
  | { readonly kind: 'overflow' }
  /** Some or all of the volume is not watched, or it is again (null). */
  | { readonly kind: 'degraded'; readonly reason: string | null }

export interface Watcher {
  /** Ends when the signal aborts. The first hint is `scan`, given once the watch is established. */
  watch(signal: AbortSignal): AsyncIterable<WatchHint>
  /** Which paths need no watching. */
  ignore(isIgnored: (path: RelativePath) => boolean): void
}

// ── network ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Our stream to a peer that we dialled. */
export interface OutboundLink {
  /** The peer as configured or as DNS gave it: `host:port`. */
  readonly address: string
  readonly host: string
  /** What we said of ourselves when it was opened. */
  readonly hello: Hello
  readonly answer: HelloAnswer
  /** Fingerprint of the key that the other side proved; with TLS off the empty string. */
  readonly key: string
  /** Resolves when there is room for the next. Rejects once the link is down. */
  send(announcement: Announcement): Promise<void>
  /** Ends when the link is down. */
  readonly replies: AsyncIterable<Reply>
  close(): void
}

/** The stream of a peer that dialled us. */
export interface InboundLink {
  readonly hello: Hello
  /** What we said of ourselves when it was opened. */
  readonly answer: HelloAnswer
  readonly key: string
  readonly announcements: AsyncIterable<Announcement>
  reply(reply: Reply): Promise<void>
  close(): void
}

/** What the network asks of the engine. */
export interface NetworkHandler {
  /** What to say of ourselves, asked anew at each dial. */
  hello(): Hello
  /** Throws SyndError `untrusted` to refuse. */
  answerHello(hello: Hello, caller: { readonly key: string }): HelloAnswer
  /**
   * Whether the address that gave this answer leads to a peer that is linked by way of another one. Then it stands by: no link is opened, which would
   * take the place of the other, and it is asked again after a while.
   */
  standsBy(address: string, answer: HelloAnswer): boolean
  /** Runs for as long as the link is up; when it returns the network closes the link and dials again after a while. */
  runOutbound(link: OutboundLink): Promise<void>
  runInbound(link: InboundLink): Promise<void>
  /** The dialled addresses after every look-up; `unresolved` are configured names without an address. */
  addressesChanged(addresses: readonly string[], unresolved: readonly string[]): void
  /** A dial failed; `code` is `unreachable`, `unresolved`, `untrusted` or `protocol`. */
  dialFailed(address: string, error: Error): void
}

/** Dials every configured address for ever (back-off with jitter) and serves those who dial us. */
export interface Network {
  start(handler: NetworkHandler): Promise<void>
  /** The address turned out to be ourselves: not dialled again until look-ups change. */
  dropAddress(address: string): void
  stop(): Promise<void>
}

// ── transfer ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Where to pull from. */
export interface PullTarget {
  readonly address: string
  readonly host: string
  readonly key: string
  readonly source: SourceOffer
}

export interface PullRequest {
  readonly path: RelativePath
  readonly digest: Digest
  readonly sizeBytes: number
}

export type Pulled =
  /** The stage is finished: size and digest are as announced. */
  | { readonly kind: 'pulled'; readonly stage: Stage }
  /** The source holds something else by now (rule 16). */
  | { readonly kind: 'superseded' }
  | { readonly kind: 'failed'; readonly code: ProblemCode; readonly message: string }

export interface Transfer {
  /**
   * Pulls the files, one result a request in the same order; at most 256 requests. Throws SyndError `unreachable`, `untrusted`,
   * `stalled` or `protocol` when the connection fails: what was not yielded is then unknown, and no stage of it is left.
   */
  pull(
    target: PullTarget,
    requests: readonly PullRequest[],
    createStage: (request: PullRequest) => Promise<Stage>,
    signal: AbortSignal,
  ): AsyncIterable<Pulled>
  /** The listener is called when a source that was not trusted may be by now, or the reverse. Absent where that never changes. */
  onTrustChange?(listener: () => void): void
  stop(): Promise<void>
}

/** What the embedded source asks before it serves a file. */
export interface Catalogue {
  /** The live, unignored file entry at `path`, or null. */
  servable(path: RelativePath): { readonly entry: Entry; readonly observation: Observation } | null
}

// ── observation ────────────────────────────────────────────────────────────────────────────────────────────────

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Where the engine reports what happened; `peer` is the configured address, '' for one that is not configured. */
export interface Observer {
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void
  /** Entries announced to, or received from, a peer. */
  notified(peer: string, direction: 'sent' | 'received', entries: number): void
  pulled(peer: string, sizeBytes: number): void
  transferFailed(peer: string, reason: string): void
  /** From seen here until applied there. */
  propagated(peer: string, seconds: number): void
  conflicted(): void
  rejected(surface: string, reason: string): void
  scanned(seconds: number): void
  watchEvents(count: number): void
  watchOverflowed(): void
  watchDegraded(reason: string | null): void
}
