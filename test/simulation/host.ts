import type { Transaction } from '../../src/engine/ports.ts'
import { parsePeerId, type PeerId } from '../../src/core/peer-id.ts'
import { MemoryDisk } from '../support/memory-disk.ts'
import { memoryHands } from '../support/memory-hands.ts'
import type { Hands } from '../support/hands.ts'
import { MemoryStore } from '../support/memory-store.ts'
import type { Random } from '../support/random.ts'
import { VirtualClock, type VirtualTime } from '../support/virtual-clock.ts'

/** How many commits a power loss may take back where nothing is synced. */
const loseableCommits = 20

export interface Backup {
  readonly disk: MemoryDisk
  readonly store: MemoryStore
  readonly atMs: number
}

/** What stays of a simulated host when its process ends: a clock, a disk, an index (on another disk), backups. */
export class Host {
  readonly clock: VirtualClock
  readonly #random: Random
  readonly #durability: 'full' | 'none'
  #disk: MemoryDisk
  #store: MemoryStore
  #hands: Hands
  #bootId: string
  #boots = 1
  #backups: Backup[] = []
  /** The index after each of the last commits, oldest first; only where nothing is synced. */
  #past: { store: MemoryStore; atMs: number }[] = []
  /** Under each id the last counter that was issued on this disk. */
  readonly #issued = new Map<PeerId, number>()
  readonly #time: VirtualTime

  constructor(parts: { time: VirtualTime; random: Random; durability: 'full' | 'none' }) {
    this.#random = parts.random
    this.#bootId = parts.random.id64()
    this.#time = parts.time
    this.#durability = parts.durability
    this.clock = new VirtualClock({ time: parts.time })
    this.#disk = new MemoryDisk({ nowMs: () => this.clock.nowMs() })
    this.#store = this.#newStore()
    this.#hands = memoryHands(this.#disk)
  }

  get disk(): MemoryDisk {
    return this.#disk
  }

  get store(): MemoryStore {
    return this.#store
  }

  /** What people do on this host. */
  get hands(): Hands {
    return this.#hands
  }

  /** The kernel's boot id. */
  get bootId(): string {
    return this.#bootId
  }

  get hasLostPower(): boolean {
    return this.#boots > 1
  }

  /** What the index says is in the files at `path` and below. */
  digestsBelow(path: string): Set<string> {
    const digests = new Set<string>()
    for (const { entry } of this.#store.all()) {
      const isBelow = entry.path === path || entry.path.startsWith(`${path}/`)
      if (isBelow && entry.kind === 'file') digests.add(entry.digest)
    }
    return digests
  }

  get peerId(): PeerId {
    return this.#store.identity().peerId
  }

  /** The last that was issued. */
  get counter(): number {
    return this.#store.lastCounter()
  }

  /** The last that was issued here under that id, also before the id was drawn anew. */
  issuedAs(peerId: PeerId): number {
    return Math.max(this.#issued.get(peerId) ?? 0, peerId === this.peerId ? this.counter : 0)
  }

  get backups(): readonly Backup[] {
    return this.#backups
  }

  committed({ identity }: Transaction): void {
    if (identity !== undefined) this.#past = []
    this.#issued.set(this.peerId, this.counter)
    if (this.#durability === 'full') return
    this.#past.push({ store: this.#store.clone(), atMs: this.#time.nowMs })
    if (this.#past.length > loseableCommits) this.#past.shift()
  }

  /**
   * The power goes: what was not synced may be lost, and with durability none the last commits too; from when the index then is, or null
   * when it is as it was.
   */
  losePower(): Backup | null {
    this.#boot()
    // After a clean stop nobody looks for damage (rule 23): what is lost then is the half minute that the kernel had not written back.
    if (this.#store.identity().isClean) this.#disk.syncAll()
    this.#disk.crash(() => this.#random.fraction())
    if (this.#past.length === 0 || this.#random.isLikely(0.5)) return null
    const { store, atMs } = this.#random.pick(this.#past)
    this.#store = store.clone()
    this.#past = []
    return { disk: this.#disk, store, atMs }
  }

  backUp(): void {
    this.#backups.push(this.#copy())
  }

  /** Back to one of the backups, with the index of then or (the disk alone) with the index of now. */
  restore(backup: Backup, { isDiskAlone }: { isDiskAlone: boolean }): void {
    this.#take({
      disk: backup.disk.clone({ nowMs: () => this.clock.nowMs() }),
      store: isDiskAlone ? this.#store : backup.store.clone(),
    })
  }

  /** This host becomes a copy of another: of its whole disk, or file by file (rsync). */
  become(other: Host, { isCopied }: { isCopied: boolean }): void {
    const { disk, store } = other.#copy()
    // An index, and an id, are there only since a first start.
    const isUsed = store.identity().epochs.length > 0
    this.#take({
      disk: disk.clone({ nowMs: () => this.clock.nowMs(), isCopied }),
      store: isUsed ? store : this.#newStore(),
    })
    this.#boot()
  }

  loseIndex(): void {
    this.#store = this.#newStore()
    this.#past = []
  }

  #boot(): void {
    this.#boots++
    this.#bootId = this.#random.id64()
  }

  #copy(): Backup {
    const atMs = this.#time.nowMs
    return { disk: this.#disk.clone(), store: this.#store.clone(), atMs }
  }

  #take({ disk, store }: Pick<Backup, 'disk' | 'store'>): void {
    disk.syncAll()
    this.#disk = disk
    this.#store = store
    this.#hands = memoryHands(disk)
    this.#past = []
    this.#issued.clear()
  }

  #newStore(): MemoryStore {
    return new MemoryStore({ peerId: parsePeerId(this.#random.id64()) })
  }
}
