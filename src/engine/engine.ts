import { ancestorsOf, type RelativePath } from '../core/relative-path.ts'
import type { Status } from '../core/status.ts'
import { covers } from '../core/version-vector.ts'
import { Beginnings } from './beginnings.ts'
import { Applier } from './pull/applier.ts'
import { Census } from './census.ts'
import { ConflictCopies } from './pull/conflict-copies.ts'
import { Contention } from './pull/contention.ts'
import { Damage } from './damage.ts'
import { Decider } from './pull/decider.ts'
import { DirectoryTimes } from './pull/directory-times.ts'
import { DirtyPaths } from './publish/dirty-paths.ts'
import { FirstLook } from './first-look.ts'
import { Findings } from './publish/findings.ts'
import { Leftovers } from './leftovers.ts'
import { Ignoring } from './publish/ignoring.ts'
import { HeldDeletes } from './publish/held-deletes.ts'
import { HeldFiles } from './pull/held-files.ts'
import { Inbound } from './links/inbound.ts'
import { Inbox } from './pull/inbox.ts'
import { Joining } from './joining.ts'
import { Ledger } from './ledger.ts'
import { LocalChanges } from './local-changes.ts'
import { LocalCopies } from './pull/local-copies.ts'
import { runLoops } from './loops.ts'
import { Links } from './links/links.ts'
import { OwnWork } from './pull/own-work.ts'
import { Telling } from './links/telling.ts'
import type { EngineParts } from './engine-parts.ts'
import { Peers } from './links/peers.ts'
import { ProblemList } from './problem-list.ts'
import { DeleteVerdicts } from './publish/delete-verdicts.ts'
import { StampGate } from './publish/stamp-gate.ts'
import { Publisher } from './publish/publisher.ts'
import { Quarantine } from './pull/quarantine.ts'
import { Puller } from './pull/puller.ts'
import { Scan } from './publish/scan.ts'
import { reportedStore } from './reported-store.ts'
import { Self } from './self.ts'
import { Serial } from './serial.ts'
import { servableAt, type Servable } from './servable.ts'
import { Stamping } from './publish/stamping.ts'
import { State } from './state.ts'
import { Unrecorded } from './unrecorded.ts'
import { Wake } from './wake.ts'

/** One running peer: wires publish, pull and links to the ports and runs them until stopped. Read `start` first. */
export class Engine {
  readonly #parts: EngineParts
  readonly #self: Self
  readonly #ledger: Ledger
  readonly #census: Census
  readonly #dirty = new DirtyPaths()
  readonly #problems = new ProblemList()
  readonly #ownWork = new OwnWork()
  readonly #damage = new Damage()
  readonly #localChanges: LocalChanges
  readonly #inbox: Inbox
  readonly #peers: Peers
  readonly #deleteVerdicts: DeleteVerdicts
  readonly #stampGate: StampGate
  readonly #heldFiles: HeldFiles
  readonly #ignoring: Ignoring
  readonly #times: DirectoryTimes
  readonly #publisher: Publisher
  readonly #puller: Puller
  readonly #telling: Telling
  readonly #links: Links
  readonly #beginnings: Beginnings
  readonly #state: State
  readonly #changed = new Wake()
  readonly #stopping = new AbortController()
  #running: Promise<void> = Promise.resolve()

  constructor(parts: EngineParts) {
    this.#parts = parts
    const { volume, clock, chance, observer, sha256, settings } = parts
    const problems = this.#problems
    const store = reportedStore(parts.store, { problems, clock })
    const self = new Self({ store, clock, chance })
    const census = new Census({ sha256 })
    const ledger = new Ledger({ store, self, census })
    const inbox = new Inbox({ clock, chance })
    const peers = new Peers({ store })
    const dirty = this.#dirty
    const serial = new Serial()
    const ownWork = this.#ownWork
    const damage = this.#damage
    const { mode, deleteBrake: share } = settings
    const localChanges = new LocalChanges({ store, census, problems, clock })
    const heldDeletes = new HeldDeletes({ store, census, problems, clock, share })
    const isIgnored = (path: RelativePath, isDirectory: boolean): boolean =>
      ignoring.isIgnored(path, isDirectory)
    const { keepsModes } = volume
    const stamping = new Stamping({ store, peers, self, clock, sha256, mode, keepsModes })
    const makers = { volume, clock, dirty, observer, stamping, localChanges, isIgnored }
    const copies = mode === 'receive-only' ? new LocalCopies(makers) : new ConflictCopies(makers)
    this.#heldFiles = new HeldFiles({ store, volume, copies, ledger, observer })
    const quarantine = new Quarantine({ volume, clock, problems, dirty })
    this.#times = new DirectoryTimes({ volume, clock })
    const contention = new Contention()
    const firstLook = new FirstLook({ clock, signal: this.#stopping.signal })
    const unrecorded = new Unrecorded({ volume, ledger, heldDeletes, dirty, clock })
    const ports = { store, volume, clock, observer }
    const common = {
      ...ports,
      serial,
      ledger,
      dirty,
      problems,
      heldDeletes,
      damage,
      localChanges,
      inbox,
      peers,
      firstLook,
      unrecorded,
      mode,
    }
    const decider = new Decider({ ...common, self, isIgnored })
    const ignoring = new Ignoring({
      ...common,
      sha256,
      watcher: parts.watcher,
      rejoin: () => this.#beginnings.rejoin(),
      wake: () => this.#publisher.wake.call(),
    })
    const leftovers = new Leftovers({ store, volume, clock, problems, isIgnored })
    this.#stampGate = new StampGate({ clock, signal: this.#stopping.signal })
    const onFailed = peers.failed.bind(peers)
    const onChange = (): void => this.#changed.call()
    this.#publisher = new Publisher({
      ...common,
      findings: new Findings({ volume, clock, dirty, problems }),
      stamping,
      ignoring,
      leftovers,
      heldFiles: this.#heldFiles,
      newScan: () =>
        new Scan({
          ...common,
          isIgnored,
          isOwnWork: (path, seen) => ownWork.is(path, seen),
          isSuspect: (record) => damage.mustHash(record),
        }),
      mayStamp: () => this.#stampGate.passed(),
      onRoundDone: onChange,
      onScanned: () => {
        quarantine.report()
        // What nobody could give may be here meanwhile, under another name.
        for (const { entry } of store.unequalRemote()) inbox.add(entry.path)
      },
    })
    const applier = new Applier({
      ...common,
      decider,
      copies,
      quarantine,
      times: this.#times,
      contention,
      ownWork,
      leftovers,
      onIgnoreFile: { before: () => this.#beginnings.rejoin(), after: () => ignoring.read() },
      wanterOf: (digest) => this.#puller.wanterOf(digest),
      onFailed,
    })
    this.#puller = new Puller({
      ...common,
      transfer: parts.transfer,
      chance,
      decider,
      applier,
      contention,
      onFailed,
      onNobodyHas: (path) => this.#deleteVerdicts.giveUp(path),
      onHeldPlace: (directory) => this.#deleteVerdicts.overrule(directory),
      onDecided: onChange,
    })
    const inbound = new Inbound({
      ...common,
      self,
      onForeignCounter: () =>
        this.#links.renewIdentity('a peer has seen versions of ours that were not made here'),
    })
    this.#links = new Links({
      ...common,
      self,
      census,
      network: parts.network,
      inbound,
      name: settings.name,
      source: parts.source,
      isAuthorized: parts.isAuthorized,
      onHello: () => {
        if (peers.isEverybodyKnown) this.#stampGate.open()
      },
      onChange,
    })
    const joining = new Joining({ ...common, self, census, stamping })
    this.#beginnings = new Beginnings({
      ...common,
      ...settings,
      self,
      census,
      joining,
      links: this.#links,
      publisher: this.#publisher,
    })
    this.#state = new State({
      ...common,
      ...settings,
      self,
      census,
      publisher: this.#publisher,
      puller: this.#puller,
    })
    this.#deleteVerdicts = new DeleteVerdicts({ ...common, publisher: this.#publisher })
    this.#telling = new Telling({ ...common, inbound, state: this.#state, onTold: onChange })
    this.#self = self
    this.#ledger = ledger
    this.#census = census
    this.#inbox = inbox
    this.#peers = peers
    this.#ignoring = ignoring
    this.#localChanges = localChanges
    ledger.onCommit((commits) => {
      for (const { before, after } of commits) {
        const { path, version } = after.entry
        inbox.committed(path)
        // What was given up covers no more what others told of the path.
        if (before !== null && !covers(version, before.entry.version)) inbox.add(path)
        // A directory that others deleted may have to stay for it (rule M2).
        const concerned = mode === 'send-only' ? [path, ...ancestorsOf(path)] : [path]
        for (const one of concerned) if (peers.isAwaited(one)) inbox.add(one)
      }
    })
  }

  /** Ready to be dialled when it resolves; the first scan goes on in the background. */
  async start(): Promise<void> {
    const { store, network, observer, volumeMark, bootId, settings } = this.#parts
    this.#ledger.load()
    const life = this.#self.begin({ volumeMark, bootId, isDurable: settings.isDurable })
    if (life.isRenewed) observer.rejected('identity', 'identity-renewed')
    this.#beginnings.begin(life)
    observer.log('info', 'started', {
      peerId: this.#self.peerId,
      ...life,
      entries: this.#census.live,
    })
    // Before anything is watched; where it fails, the first round tries again.
    await this.#ignoring.refresh()
    await this.#heldFiles.begin()
    for (const { entry } of store.unequalRemote()) this.#inbox.add(entry.path)
    for (const path of this.#census.missing) this.#inbox.add(path)
    if (!settings.hasPeers || settings.mode === 'receive-only') this.#stampGate.open()
    await network.start(this.#links)
    this.#running = runLoops(
      {
        ...this.#parts,
        dirty: this.#dirty,
        inbox: this.#inbox,
        publisher: this.#publisher,
        puller: this.#puller,
        beginnings: this.#beginnings,
        ownWork: this.#ownWork,
        times: this.#times,
        peers: this.#peers,
        problems: this.#problems,
        state: this.#state,
        telling: this.#telling,
        changed: this.#changed,
      },
      this.#stopping.signal,
    )
  }

  /** No new work; finishes or drops what is in the works, closes the links. The store and volume stay open. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#stampGate.open()
    await Promise.all([this.#parts.network.stop(), this.#parts.transfer.stop(), this.#running])
    await this.#telling.drained()
    this.#self.end()
  }

  /** Rejects when a loop failed: a bug, the process has to go. */
  get running(): Promise<void> {
    return this.#running
  }

  status(): Status {
    return this.#state.status()
  }

  /** Lets the held deletes go; returns how many. */
  approveDeletes(): Promise<number> {
    return this.#deleteVerdicts.approve()
  }

  /** Takes the entries of held deletes back from the peers; returns how many. */
  rejectDeletes(): Promise<number> {
    return this.#deleteVerdicts.reject()
  }

  /** What the embedded source may serve: a live file as the index knows it. */
  servable(path: RelativePath): Servable | null {
    const parts = { ...this.#parts, damage: this.#damage, localChanges: this.#localChanges }
    return servableAt(path, parts)
  }

  /** The configured address of the peer that proved this key; '' for nobody's. */
  addressOfKey(key: string): string {
    return this.#peers.all().find(({ link }) => link?.key === key)?.address ?? ''
  }

  /** Whether the volume is usable (README, Monitoring: `/readyz`). */
  readiness(): { readonly ready: boolean; readonly reason: string | null } {
    const halt = this.#parts.volume.halt()
    if (halt !== null) return { ready: false, reason: halt.message }
    const isReady = this.#publisher.isFirstScanDone
    return { ready: isReady, reason: isReady ? null : 'the first scan is not done yet' }
  }
}
