import type { SyncMode } from '../../src/core/protocol.ts'
import type { Engine } from '../../src/engine/engine.ts'
import type { Hands } from '../support/hands.ts'
import { ProcessEnded } from '../support/memory-disk-attached.ts'
import type { Random } from '../support/random.ts'
import type { VirtualTime } from '../support/virtual-clock.ts'
import { Brake } from './brake.ts'
import { contentsInHold } from './contents.ts'
import { Faults } from './faults.ts'
import { Host, type Backup } from './host.ts'
import { Life } from './life.ts'
import type { Station } from './memory-network.ts'
import { startProcess, type Process } from './process.ts'
import type { Trace } from './trace.ts'
import type { Wire } from './wire.ts'

/** What a process may find of the one before: it was killed, a file is in hold, deletes are held back. */
export const startingStates = ['unclean', 'hold', 'held deletes'] as const
type StartingState = (typeof startingStates)[number]

export interface SimPeerParts {
  readonly name: string
  readonly key: string
  readonly peers: readonly string[]
  readonly time: VirtualTime
  readonly wire: Wire<Station>
  readonly random: Random
  readonly trace: Trace
  readonly durability: 'full' | 'none'
  readonly hasBrake: boolean
  readonly isStateInside: boolean
  readonly mode: SyncMode
  /** A send-only peer stamped over what others wrote (rule M2): files with these digests. */
  readonly onOverwritten: (digests: ReadonlySet<string>) => void
  /** Files with these digests went by accident, and the peer stamped them as deleted. */
  readonly onVanished: (digests: ReadonlySet<string>) => void
  readonly peerOf: (name: string) => SimPeer
  /** The power of that host went. */
  readonly onPowerLost: (peer: SimPeer, index: { before: number; older: Backup | null }) => void
}

/** One simulated host and the process that comes and goes on it. Runs the engine and the volume as they ship. */
export class SimPeer {
  readonly name: string
  readonly host: Host
  readonly faults: Faults
  /** Null: the brake is off. */
  readonly brake: Brake | null
  readonly #parts: SimPeerParts
  #process: Process | null = null
  #isPowerLost = false
  #isUnresolved = false
  #isOff = false
  /** What ended a process that should have gone on: bugs. */
  readonly failures: string[] = []
  /** Kinds of effects at which processes ended, `before` or `after`. */
  readonly endedAt = new Set<string>()
  #fate: string | null = null
  /** All kinds of effects that its processes came to. */
  readonly points = new Set<string>()
  /** What was the case when lives began. */
  readonly startedWith = new Set<StartingState>()

  constructor(parts: SimPeerParts) {
    const { name, time, random, durability, hasBrake, onVanished: onDeleted } = parts
    this.name = name
    this.#parts = parts
    this.host = new Host({ time, random: random.fork(), durability })
    this.faults = new Faults({ time, random: random.fork() })
    this.brake = hasBrake ? new Brake({ onDeleted }) : null
  }

  get hands(): Hands {
    return this.host.hands
  }

  get mode(): SyncMode {
    return this.#parts.mode
  }

  /** The names of those that it dials. */
  get listed(): readonly string[] {
    return this.#parts.peers
  }

  get isStateInside(): boolean {
    return this.#parts.isStateInside
  }

  get isUp(): boolean {
    return this.#process !== null && !this.#process.life.isOver
  }

  get engine(): Engine | null {
    return this.isUp ? (this.#process?.engine ?? null) : null
  }

  get process(): Process | null {
    return this.isUp ? this.#process : null
  }

  /** The power went and is not back: nobody can do anything here. */
  get isOff(): boolean {
    return this.#isOff
  }

  /** The names of its peers resolve to nothing. */
  get isUnresolved(): boolean {
    return this.#isUnresolved
  }

  set isUnresolved(isUnresolved: boolean) {
    this.#isUnresolved = isUnresolved
    const { peers } = this.#parts
    if (isUnresolved) this.process?.network.resolve([], ['peers.example'])
    else this.process?.network.resolve(peers, [])
  }

  /** Starts the process where it is not up; it ends at the effect `endAt`, if given, by kill -9 or by a power loss. */
  async start({
    endAt = null,
    isPowerLost = false,
  }: { endAt?: number | null; isPowerLost?: boolean } = {}): Promise<void> {
    if (this.isUp) return
    this.kill()
    this.#isOff = false
    const { name, trace } = this.#parts
    this.#isPowerLost = isPowerLost
    const life = new Life({
      trace,
      name,
      onEnd: () => this.#ended(),
      onPoint: (point) => void this.points.add(point),
    })
    life.endAt = endAt
    life.endAtPoint = this.#fate
    this.#noteStart()
    try {
      this.#process = await startProcess({
        ...this.#parts,
        isUnresolved: this.#isUnresolved,
        brake: this.brake,
        host: this.host,
        life,
        faults: this.faults,
        onFailure: (error) => this.#failed(error),
        onProcess: (process) => {
          this.#process = process
        },
      })
    } catch (error) {
      // A disk that refuses everything may keep a process from starting.
      if (!(error instanceof ProcessEnded)) this.#failed(error, this.faults.isActive)
      life.end()
    }
    this.#noteEnd(life)
  }

  /** kill -9 */
  kill(): void {
    const process = this.#process
    this.#process = null
    this.#isPowerLost = false
    process?.life.end()
    process?.release()
    this.host.disk.kill()
  }

  /** The power goes, with the process. */
  losePower(): void {
    this.kill()
    this.#powerLost()
  }

  async stop(): Promise<void> {
    const process = this.#process
    if (process === null || process.life.isOver) return this.kill()
    try {
      await process.stop()
    } catch (error) {
      if (!(error instanceof ProcessEnded)) this.#failed(error)
    }
    if (this.#process === process) this.kill()
  }

  /** It is to end at a point that none of its processes has come to yet. */
  get isDoomed(): boolean {
    return this.#fate !== null
  }

  /** The process will not end by itself any more. */
  spare(): void {
    this.#fate = null
    if (this.#process === null) return
    this.#process.life.endAt = null
    this.#process.life.endAtPoint = null
  }

  /** The first of its processes that comes to that point ends there. */
  doomAt(point: string): void {
    this.#fate = point
    if (this.#process !== null) this.#process.life.endAtPoint = point
  }

  #noteStart(): void {
    const { store, hands } = this.host
    const { epochs, isClean } = store.identity()
    if (epochs.length > 0 && !isClean) this.startedWith.add('unclean')
    if (contentsInHold(hands).length > 0) this.startedWith.add('hold')
    if (store.heldDeletes().length > 0) this.startedWith.add('held deletes')
  }

  #noteEnd({ endedAt }: Life): void {
    if (endedAt === null) return
    this.endedAt.add(endedAt)
    if (endedAt === this.#fate) this.#fate = null
  }

  #ended(): void {
    const process = this.#process
    if (process !== null) this.#noteEnd(process.life)
    process?.release()
    if (!this.#isPowerLost) return
    this.#isPowerLost = false
    this.#powerLost()
  }

  #powerLost(): void {
    this.#isOff = true
    const before = this.host.counter
    const older = this.host.losePower()
    this.#parts.onPowerLost(this, { before, older })
  }

  /** Nothing of what a disk refuses may end a process that has started. */
  #failed(error: unknown, isExcused = false): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#parts.trace.line(`${this.name} failed ${text.split('\n')[0] ?? ''}`)
    if (!isExcused) this.failures.push(text)
  }
}
