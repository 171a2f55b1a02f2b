import type { SyncMode } from '../../src/core/protocol.ts'
import type { Engine } from '../../src/engine/engine.ts'
import type { Hands } from '../support/hands.ts'
import { ProcessEnded } from '../support/memory-disk-attached.ts'
import type { Random } from '../support/random.ts'
import type { VirtualTime } from '../support/virtual-clock.ts'
import { Faults } from './faults.ts'
import { Host, type Backup } from './host.ts'
import { Life } from './life.ts'
import type { Station } from './memory-network.ts'
import { startProcess, type Process } from './process.ts'
import type { Trace } from './trace.ts'
import type { Wire } from './wire.ts'

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
  readonly peerOf: (name: string) => SimPeer
  /** The power of that host went. */
  readonly onPowerLost: (peer: SimPeer, index: { before: number; older: Backup | null }) => void
}

/** One simulated host and the process that comes and goes on it. Runs the engine and the volume as they ship. */
export class SimPeer {
  readonly name: string
  readonly host: Host
  readonly faults: Faults
  readonly #parts: SimPeerParts
  #process: Process | null = null
  #isPowerLost = false
  #isUnresolved = false
  #isOff = false
  /** Conflicts that were resolved here. */
  conflicts = 0
  /** What ended a process that should have gone on: bugs. */
  readonly failures: string[] = []
  /** Kinds of effects at which processes ended, `before` or `after`. */
  readonly endedAt = new Set<string>()
  #fate: string | null = null
  /** All kinds of effects that its processes came to. */
  readonly points = new Set<string>()
  /** What is the case when a life begins: `hold`, `unclean`. */
  readonly startedWith = new Set<string>()

  constructor(parts: SimPeerParts) {
    const { name, time, random, durability } = parts
    this.name = name
    this.#parts = parts
    this.host = new Host({ time, random: random.fork(), durability })
    this.faults = new Faults({ time, random: random.fork() })
  }

  get hands(): Hands {
    return this.host.hands
  }

  get mode(): SyncMode {
    return this.#parts.mode
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
    if (this.host.store.holds().length > 0) this.startedWith.add('hold')
    try {
      this.#process = await startProcess({
        ...this.#parts,
        isUnresolved: this.#isUnresolved,
        host: this.host,
        life,
        faults: this.faults,
        onConflict: () => void this.conflicts++,
        onFailure: (error) => this.#failed(error),
        onProcess: (process) => {
          this.#process = process
        },
      })
    } catch (error) {
      if (!(error instanceof ProcessEnded)) this.#failed(error)
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

  /** A disk that refuses everything may keep a process from starting; nothing else may end it. */
  #failed(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#parts.trace.line(`${this.name} failed ${text.split('\n')[0] ?? ''}`)
    if (!this.faults.isActive) this.failures.push(text)
  }
}
