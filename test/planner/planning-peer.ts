import { isLive, sameContent, sameEntry } from '../../src/core/entry.ts'
import type { RemoteRecord } from '../../src/core/index-record.ts'
import type { PeerId } from '../../src/core/peer-id.ts'
import { orderForAnnouncement } from '../../src/core/plan.ts'
import type { Sequence } from '../../src/core/protocol.ts'
import { ancestorsOf, type RelativePath } from '../../src/core/relative-path.ts'
import { Damage } from '../../src/engine/damage.ts'
import { Leftovers } from '../../src/engine/leftovers.ts'
import { LocalChanges } from '../../src/engine/local-changes.ts'
import { HeldDeletes } from '../../src/engine/publish/held-deletes.ts'
import { Applier, type Ready } from '../../src/engine/pull/applier.ts'
import { ConflictCopies } from '../../src/engine/pull/conflict-copies.ts'
import { Contention } from '../../src/engine/pull/contention.ts'
import { Decider } from '../../src/engine/pull/decider.ts'
import type { Intent } from '../../src/engine/pull/verdict.ts'
import { Overlay } from '../../src/engine/pull/overlay.ts'
import { OwnWork } from '../../src/engine/pull/own-work.ts'
import { DirectoryTimes } from '../../src/engine/pull/directory-times.ts'
import { Quarantine } from '../../src/engine/pull/quarantine.ts'
import { Serial } from '../../src/engine/serial.ts'
import { Unrecorded } from '../../src/engine/unrecorded.ts'
import { digest, peer } from '../core/build.ts'
import { engineParts } from '../engine/parts.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { checkAnnouncements, type Step } from './announcements.ts'
import { Failure } from './failure.ts'
import { PretendDisk, PretendStage } from './pretend-disk.ts'
import { show, type Tree } from './tree.ts'

/** What one peer heard of another. */
interface Heard {
  readonly from: PlanningPeer
  upTo: Sequence
  /** The other's last sequence when it last spoke. */
  head: Sequence
}

/** One peer, from what it finds to what it applies as it ships; its disk, its network and its time only pretend. */
export class PlanningPeer {
  readonly id: PeerId
  readonly store: MemoryStore
  readonly disk = new PretendDisk()
  readonly #heard = new Map<PeerId, Heard>()
  readonly #parts: ReturnType<typeof engineParts>
  readonly #decider: Decider
  readonly #applier: Applier

  constructor(letter: string, clockSkewMs: number) {
    this.id = peer(letter)
    this.store = new MemoryStore({ peerId: this.id })
    this.store.commit({ identity: { ...this.store.identity(), isJoined: true } })
    this.#parts = engineParts({ store: this.store, hash: () => digest(0) })
    const { store, disk } = this
    const { clock, self, dirty, observer, problems, census, ledger, inbox } = this.#parts
    clock.skewMs = clockSkewMs
    const isIgnored = (): boolean => false
    const localChanges = new LocalChanges({ store, census, problems, clock })
    this.#decider = new Decider({
      store,
      self,
      peers: {
        // Nobody says here what became of what he heard.
        linked: (other) => (this.#heard.has(other) ? { delivery: null } : null),
        receipts: (other) => {
          const heard = this.#heard.get(other)
          const isComplete = heard !== undefined && heard.upTo >= heard.head
          return { isComplete, openCopyOf: () => null, isSuperseded: () => false }
        },
        modeOf: () => 'send-receive',
      },
      heldDeletes: new Set(),
      damage: new Set(),
      isIgnored,
      mode: 'send-receive',
      localChanges,
    })
    const heldDeletes = new HeldDeletes({ store, census, problems, clock, share: null })
    this.#applier = new Applier({
      store,
      volume: disk,
      clock,
      observer,
      serial: new Serial(),
      unrecorded: new Unrecorded({ volume: disk, ledger, heldDeletes, dirty, clock }),
      decider: this.#decider,
      mode: 'send-receive',
      copies: new ConflictCopies({ ...this.#parts, volume: disk, isIgnored }),
      quarantine: new Quarantine({ volume: disk, clock, problems, dirty }),
      contention: new Contention(),
      inbox,
      dirty,
      ownWork: new OwnWork(),
      times: new DirectoryTimes({ volume: disk, clock }),
      heldDeletes,
      damage: new Damage(),
      localChanges,
      problems,
      leftovers: new Leftovers({ store, volume: disk, clock, problems, isIgnored }),
      wanterOf: () => null,
      onIgnoreFile: { before: () => undefined, after: async () => undefined },
      onFailed: (path, code) => {
        throw new Failure('plan', `${path}: ${code}`)
      },
    })
  }

  /** How many conflicts were resolved here. */
  get conflicts(): number {
    return this.#parts.observer.lines.filter((line) => line === 'conflicted').length
  }

  /** Users made the disk this; what is new is announced as one round. Returns its paths. */
  publish(tree: Tree): readonly RelativePath[] {
    const { store, disk } = this
    const { stamping, ledger } = this.#parts
    disk.become(tree)
    const steps: Step[] = []
    for (const finding of disk.findings()) {
      const { path, observation } = finding
      const record = store.get(path)
      if (record?.observation === observation) continue
      const put = stamping.found({ path, observation, record, finding })
      const replacesDirectory =
        record?.entry.kind === 'directory' && observation.kind !== 'directory'
      if (put !== null) steps.push({ ...put, replacesDirectory })
    }
    for (const record of store.all()) {
      if (!isLive(record.entry) || disk.has(record.entry.path)) continue
      const put = stamping.gone(record)
      if (put !== null) steps.push({ ...put, replacesDirectory: false })
    }
    const ordered = orderForAnnouncement(steps)
    checkAnnouncements(
      [...store.all()].map(({ entry }) => entry),
      ordered,
    )
    ledger.commit(ordered)
    return ordered.map(({ entry }) => entry.path)
  }

  /** Has everything that the other has, and both know. */
  adopt(other: PlanningPeer): void {
    this.disk.become(other.disk.tree)
    const puts = []
    for (const { path, observation } of this.disk.findings()) {
      const entry = other.store.get(path)?.entry
      if (entry !== undefined) puts.push({ entry, observation, isAnnounced: true, seenMs: null })
    }
    this.#parts.ledger.commit(puts)
  }

  /** From now on the other is heard; everything that it has is known. */
  link(from: PlanningPeer): void {
    const head = from.store.lastSequence()
    this.#heard.set(from.id, { from, upTo: head, head })
    const remote = [...from.store.all()].map(({ entry, sequence }) => ({
      peer: from.id,
      entry,
      sequence,
    }))
    this.store.commit({ remote })
  }

  get neighbours(): readonly PlanningPeer[] {
    return [...this.#heard.values()].map(({ from }) => from)
  }

  /** At most so many entries of what is new at the neighbour. False: nothing was. */
  hear(from: PlanningPeer, { limit, isSparing }: { limit: number; isSparing: boolean }): boolean {
    const heard = this.#heard.get(from.id)
    if (heard === undefined) throw new Error('no neighbour')
    const records = from.store.changesAfter(heard.upTo, limit)
    heard.head = from.store.lastSequence()
    heard.upTo = records.length < limit ? heard.head : (records.at(-1)?.sequence ?? heard.head)
    const remote: RemoteRecord[] = []
    for (const { entry, sequence } of records) {
      const known = from.store.remoteOf(this.id, entry.path)
      if (isSparing && known !== null && sameEntry(known.entry, entry)) continue
      remote.push({ peer: from.id, entry, sequence })
    }
    if (remote.length > 0) this.store.commit({ remote })
    return records.length > 0
  }

  /** What is to be done by all that was heard, with the bytes; what nobody has at this moment is left out. */
  decide(isInWork: (path: RelativePath) => boolean): { intents: Intent[]; ready: Ready[] } {
    const { store } = this
    const paths = new Set([...store.unequalRemote()].map(({ entry }) => entry.path))
    const intents: Intent[] = []
    const ready: Ready[] = []
    for (const path of paths) {
      if (isInWork(path)) continue
      const verdict = this.#decider.decide(path, new Overlay({ store }), () => undefined)
      if (verdict.kind !== 'intent') continue
      const { intent } = verdict
      intents.push(intent)
      const source = intent.needsBytes ? this.#movableTo(intent) : null
      const stage = intent.needsBytes && source === null ? this.#fetch(intent) : null
      if (source !== null) ready.push({ intent, stage: null, source })
      else if (stage !== null || !intent.needsBytes) ready.push({ intent, stage, source: null })
    }
    return { intents, ready }
  }

  /** `isFresh`: nothing was heard since it was decided. Else it is decided anew, and what was to appear may go by now. */
  async apply(batch: readonly Ready[], { isFresh }: { isFresh: boolean }): Promise<void> {
    const going = batch.filter(({ intent }) => intent.entry.kind === 'tombstone')
    const emptied = new Set(going.flatMap(({ intent }) => ancestorsOf(intent.path)))
    this.disk.beginBatch({ emptied, isFresh })
    await this.#applier.apply(batch)
    this.#checkDisk()
  }

  /** A file that is to go and has the wanted bytes. */
  #movableTo(intent: Intent): RelativePath | null {
    const { entry } = intent
    const here = entry.kind === 'file' ? this.store.findByDigest(entry.digest, 3) : []
    return here.find((from) => this.#applier.isMovable(from, intent)) ?? null
  }

  /** From another name on this disk, or from a neighbour that holds what it announced (rule 16). */
  #fetch({ path, entry }: Intent): PretendStage | null {
    const { store } = this
    if (entry.kind !== 'file') throw new Failure('plan', `bytes for ${path}, a ${entry.kind}`)
    const isHere = store.findByDigest(entry.digest, 1).length > 0
    const isThere = [...this.#heard.values()].some(({ from }) => {
      const announced = store.remoteOf(from.id, path)
      const held = from.store.get(path)
      return (
        announced !== null &&
        sameContent(announced.entry, entry) &&
        held !== null &&
        sameContent(held.entry, entry)
      )
    })
    return isHere || isThere ? new PretendStage(Number.parseInt(entry.digest, 16)) : null
  }

  /** What the index says is on the disk, and nothing else. */
  #checkDisk(): void {
    const { tree } = this.disk
    for (const { entry } of this.store.all()) {
      if (!isLive(entry)) continue
      const { path, kind } = entry
      const node = tree.get(path)
      const isContent =
        kind === 'directory' ||
        (node !== undefined && node.kind !== 'directory' && digest(node.content) === entry.digest)
      const isMode = kind === 'symlink' || node?.mode === entry.mode
      const isTime = kind !== 'file' || node?.mtimeUs === entry.mtimeUs
      if (node?.kind !== kind || !isContent || !isMode || !isTime)
        throw new Failure('plan', `${path} is ${show(node)}, and in the index ${kind}`)
      tree.delete(path)
    }
    for (const path of tree.keys())
      throw new Failure('plan', `${path} is on the disk and not in the index`)
  }
}
