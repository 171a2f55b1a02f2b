import type { Hello, SyncMode } from '../../src/core/protocol.ts'
import type { Status } from '../../src/core/status.ts'
import { Engine } from '../../src/engine/engine.ts'
import { parsePeerId } from '../../src/core/peer-id.ts'
import { isOfVolume, redrawGeneration } from '../../src/engine/generation.ts'
import type { Network, NetworkHandler, Watcher } from '../../src/engine/ports.ts'
import { openVolume } from '../../src/volume/open.ts'
import { peer } from '../core/build.ts'
import { watchDisk } from '../simulation/memory-watcher.ts'
import type { Hands } from '../support/hands.ts'
import { MemoryDisk } from '../support/memory-disk.ts'
import type { AttachOptions } from '../support/memory-disk-attached.ts'
import { memoryHands } from '../support/memory-hands.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { Random } from '../support/random.ts'
import { VirtualClock, VirtualTime } from '../support/virtual-clock.ts'
import { RecordedObserver, sha256 } from './parts.ts'
import { PlayedPeer } from './played-peer.ts'
import { PlayedTransfer } from './played-transfer.ts'

/** What stays when an engine ends. */
interface Host {
  readonly time: VirtualTime
  readonly clock: VirtualClock
  readonly disk: MemoryDisk
  readonly store: MemoryStore
}

interface Options {
  /** Letters of the peers that are configured. */
  readonly peers?: readonly string[]
  readonly unresolved?: readonly string[]
  readonly deleteBrake?: number | null
  readonly mode?: SyncMode
  readonly attach?: AttachOptions
  /** How long the watch takes to be established. */
  readonly watchMs?: number
  /** The kernel's: another one means that the host was started anew. */
  readonly bootId?: string
  /** The index is on another disk than the volume. */
  readonly isStateElsewhere?: boolean
}

/** One engine on a volume in memory under a virtual clock, as it ships up to its ports; tests play its peers. */
export class LoneEngine {
  readonly host: Host
  readonly engine: Engine
  readonly hands: Hands
  readonly observer: RecordedObserver
  readonly transfer: PlayedTransfer
  /** While it is deaf, events of the watcher are lost. */
  readonly deafen: (isDeaf: boolean) => void
  readonly #handler: () => NetworkHandler
  readonly #peers: Map<string, PlayedPeer>
  readonly #ended: () => Promise<void>

  private constructor(parts: {
    host: Host
    engine: Engine
    observer: RecordedObserver
    transfer: PlayedTransfer
    deafen: (isDeaf: boolean) => void
    handler: () => NetworkHandler
    peers: Map<string, PlayedPeer>
    ended: () => Promise<void>
  }) {
    this.host = parts.host
    this.engine = parts.engine
    this.hands = memoryHands(parts.host.disk)
    this.observer = parts.observer
    this.transfer = parts.transfer
    this.deafen = parts.deafen
    this.#handler = parts.handler
    this.#peers = parts.peers
    this.#ended = parts.ended
  }

  /** On a new host, or on one that a life before left. */
  static async start(options: Options = {}, left: Host = newHost()): Promise<LoneEngine> {
    const {
      peers = ['b'],
      unresolved = [],
      deleteBrake = 0.5,
      attach = {},
      watchMs = 0,
      mode = 'send-receive',
      bootId = 'boot',
      isStateElsewhere = false,
    } = options
    const { time, clock, disk } = left
    const chance = new Random(left.store.identity().epochs.length + 1)
    const opening = openVolume({
      disk: disk.attach(attach),
      path: '/data',
      durability: 'full',
      ledger: left.store,
      ids: chance,
    })
    await time.pass(0)
    const volume = await opening
    const isOurs = !isStateElsewhere || isOfVolume(left.store, volume)
    const store = isOurs ? left.store : new MemoryStore({ peerId: parsePeerId(chance.id64()) })
    const host = { ...left, store }
    const redraw = (): Promise<string> => redrawGeneration(store, volume, chance)
    const watching = watchDisk(disk, time)
    const watcher: Watcher = {
      ...watching.watcher,
      watch: async function* (signal) {
        await clock.sleep(watchMs, signal)
        if (!signal.aborted) yield* watching.watcher.watch(signal)
      },
    }
    const observer = new RecordedObserver()
    const played = new Map<string, PlayedPeer>()
    const transfer = new PlayedTransfer(played)
    let handler: NetworkHandler | null = null
    const network: Network = {
      start: async (starting) => {
        handler = starting
        starting.addressesChanged(peers, unresolved)
      },
      dropAddress: () => undefined,
      stop: async () => {
        for (const one of played.values()) one.hangUp()
      },
    }
    const engine = new Engine({
      store,
      volume,
      watcher,
      network,
      transfer,
      clock,
      chance,
      observer,
      sha256,
      settings: {
        name: 'host a',
        version: '0',
        mode,
        volumePath: '/data',
        isDurable: true,
        isStateElsewhere,
        hasPeers: peers.length + unresolved.length > 0,
        scanIntervalMs: 300_000,
        deleteBrake,
      },
      volumeMark: isStateElsewhere ? await redraw() : volume.marker.mark,
      bootId,
      source: () => ({ kind: 'none' }),
      isAuthorized: () => true,
    })
    await engine.start()
    const started = (): NetworkHandler => {
      if (handler === null) throw new Error('the network was not started')
      return handler
    }
    return new LoneEngine({
      host,
      engine,
      observer,
      transfer,
      deafen: watching.deafen,
      handler: started,
      peers: played,
      ended: async () => {
        if (isStateElsewhere && volume.halt() === null) await redraw()
      },
    })
  }

  /** The peer with that letter; it is not connected before the test says so. */
  peer(letter: string, hello: Partial<Hello> = {}): PlayedPeer {
    const known = this.#peers.get(letter)
    if (known !== undefined) return known
    const played = new PlayedPeer({ letter, handler: this.#handler(), hello })
    this.#peers.set(letter, played)
    return played
  }

  /** The configuration, or what names resolve to, is another by now. */
  configure(peers: readonly string[], unresolved: readonly string[] = []): void {
    this.#handler().addressesChanged(peers, unresolved)
  }

  async pass(durationMs: number): Promise<void> {
    await this.host.time.pass(durationMs)
  }

  get status(): Status {
    return this.engine.status()
  }

  /** `path: shown`, in byte order. */
  get tree(): string[] {
    return [...this.hands.tree()].map(([path, shown]) => `${path}: ${shown}`)
  }

  /** Ends as SIGTERM ends it, and gives what it leaves. */
  async stop(): Promise<Host> {
    for (const one of this.#peers.values()) one.goSilent()
    const stopped = this.engine.stop()
    await this.pass(10_000)
    await stopped
    await this.#ended()
    this.host.disk.kill()
    return this.host
  }

  /** Ends as SIGKILL ends it, and gives what it leaves. */
  async kill(): Promise<Host> {
    const { host } = this
    const left = { ...host, disk: host.disk.clone(), store: host.store.clone() }
    await this.stop()
    return left
  }
}

function newHost(): Host {
  const time = new VirtualTime()
  const clock = new VirtualClock({ time })
  const disk = new MemoryDisk({ nowMs: () => clock.nowMs() })
  return { time, clock, disk, store: new MemoryStore({ peerId: peer('a') }) }
}
