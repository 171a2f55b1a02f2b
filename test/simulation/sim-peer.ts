import { createHash } from 'node:crypto'
import { parseDigest } from '../../src/core/digest.ts'
import { parsePeerId } from '../../src/core/peer-id.ts'
import { pathRefusal, type RelativePath } from '../../src/core/relative-path.ts'
import { Engine } from '../../src/engine/engine.ts'
import type { Observer, WatchHint, Watcher } from '../../src/engine/ports.ts'
import { Channel } from '../support/channel.ts'
import type { Hands } from '../support/hands.ts'
import { MemoryDisk } from '../support/memory-disk.ts'
import { memoryHands } from '../support/memory-hands.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { ProcessEnded } from '../support/memory-disk-attached.ts'
import { Random } from '../support/random.ts'
import { VirtualClock, type VirtualTime } from '../support/virtual-clock.ts'
import { Life, storeOf } from './life.ts'
import { MemoryNetwork, type Wire } from './memory-network.ts'
import { MemoryTransfer, type Serve } from './memory-transfer.ts'
import { openMemoryVolume } from './memory-volume.ts'

interface Running {
  readonly life: Life
  readonly engine: Engine
  readonly network: MemoryNetwork
  readonly stopWatching: () => void
}

/** One simulated host: a disk and an index that stay, and a process that comes and goes. Runs the engine and the volume as they ship. */
export class SimPeer {
  readonly name: string
  readonly clock: VirtualClock
  readonly hands: Hands
  disk: MemoryDisk
  store: MemoryStore
  conflicts = 0
  readonly #peers: readonly string[]
  readonly #time: VirtualTime
  readonly #wire: Wire
  readonly #random: Random
  readonly #trace: (text: string) => void
  readonly #peerOf: (name: string) => SimPeer
  #running: Running | null = null

  constructor(parts: {
    name: string
    peers: readonly string[]
    time: VirtualTime
    wire: Wire
    random: Random
    trace: (text: string) => void
    peerOf: (name: string) => SimPeer
  }) {
    this.name = parts.name
    this.#peers = parts.peers
    this.#time = parts.time
    this.#wire = parts.wire
    this.#random = parts.random
    this.#trace = (text) => parts.trace(`${parts.name} ${text}`)
    this.#peerOf = parts.peerOf
    this.clock = new VirtualClock({ time: parts.time })
    this.disk = new MemoryDisk({ nowMs: () => this.clock.nowMs() })
    this.store = new MemoryStore({ peerId: parsePeerId(parts.random.id64()) })
    this.hands = memoryHands(this.disk)
  }

  get isUp(): boolean {
    return this.#running !== null && !this.#running.life.isOver
  }

  /** Where the last life ended by itself; null when it did not. */
  get endedAt(): string | null {
    return this.#running?.life.endedAt ?? null
  }

  get engine(): Engine | null {
    return this.isUp ? (this.#running?.engine ?? null) : null
  }

  async start({ endAt = null }: { endAt?: number | null } = {}): Promise<void> {
    const life = new Life({ trace: this.#trace })
    life.endAt = endAt
    try {
      await this.#begin(life)
    } catch (error) {
      if (!(error instanceof ProcessEnded)) throw error
      life.end()
      this.disk.kill()
    }
  }

  /** kill -9 */
  kill(): void {
    const running = this.#running
    this.#running = null
    running?.life.end()
    running?.stopWatching()
    running?.network.kill()
    this.disk.kill()
  }

  async stop(): Promise<void> {
    const running = this.#running
    if (running === null || running.life.isOver) return this.kill()
    try {
      await running.engine.stop()
    } catch (error) {
      if (!(error instanceof ProcessEnded)) throw error
    }
    this.kill()
  }

  async #begin(life: Life): Promise<void> {
    const store = storeOf(this.store, life)
    const attached = this.disk.attach({
      effect: ({ when, operation, path, to }) =>
        life.effect(when, `${operation} ${path} ${to ?? ''}`),
    })
    const { volume, mark } = await openMemoryVolume({ disk: attached, store, chance: this.#random })
    const { watcher, stop } = this.#watch()
    const parts = {
      name: this.name,
      wire: this.#wire,
      time: this.#time,
      clock: this.clock,
      random: this.#random,
    }
    const network = new MemoryNetwork({ ...parts, addresses: this.#peers })
    const transfer = new MemoryTransfer({
      ...parts,
      serveOf: (name) => this.#peerOf(name).#serve(),
    })
    const engine = new Engine({
      store,
      volume,
      watcher,
      network,
      transfer,
      clock: this.clock,
      chance: this.#random,
      observer: this.#observer(),
      sha256: (text) => parseDigest(createHash('sha256').update(text, 'latin1').digest('hex')),
      settings: {
        name: this.name,
        version: '0',
        mode: 'send-receive',
        volumePath: '/data',
        hasPeers: this.#peers.length > 0,
        scanIntervalMs: 300_000,
        deleteBrake: null,
      },
      volumeMark: mark,
      bootId: 'boot',
      source: () => ({ kind: 'embedded', port: 2222 }),
      isAuthorized: () => true,
    })
    this.#running = { life, engine, network, stopWatching: stop }
    await engine.start()
    engine.running.catch((error: unknown) => {
      if (!(error instanceof ProcessEnded)) throw error
      life.end()
      attached.die()
      stop()
      if (this.#running?.life === life) network.kill()
    })
  }

  #serve(): Serve | null {
    const { engine } = this
    if (engine === null) return null
    return (path, digest) => {
      const entry = engine.servable(path)?.entry
      const content = this.hands.read(path)
      if (entry?.kind !== 'file' || entry.digest !== digest || content === null) return null
      return Buffer.from(content, 'latin1')
    }
  }

  #watch(): { watcher: Watcher; stop: () => void } {
    const hints = new Channel<WatchHint>()
    hints.push({ kind: 'scan' })
    const stopListening = this.disk.onChange((path) => {
      // An event arrives a moment after the change.
      this.#time.after(1, () => {
        if (pathRefusal(path) === null) hints.push({ kind: 'dirty', paths: [path as RelativePath] })
      })
    })
    const stop = (): void => {
      stopListening()
      hints.end()
    }
    const watch = (signal: AbortSignal): AsyncIterable<WatchHint> => {
      signal.addEventListener('abort', stop)
      return hints
    }
    return { watcher: { watch, ignore: () => undefined }, stop }
  }

  #observer(): Observer {
    const nothing = (): void => undefined
    return {
      log: (level, message, fields) =>
        this.#trace(`log ${level} ${message} ${JSON.stringify(fields ?? {})}`),
      conflicted: () => void this.conflicts++,
      notified: nothing,
      pulled: nothing,
      transferFailed: nothing,
      propagated: nothing,
      rejected: (surface, reason) => this.#trace(`rejected ${surface} ${reason}`),
      scanned: nothing,
      watchEvents: nothing,
      watchOverflowed: nothing,
      watchDegraded: nothing,
    }
  }
}
