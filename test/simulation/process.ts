import { createHash } from 'node:crypto'
import { parseDigest } from '../../src/core/digest.ts'
import type { SyncMode } from '../../src/core/protocol.ts'
import { Engine } from '../../src/engine/engine.ts'
import { endGeneration, isOfVolume, redrawGeneration } from '../../src/engine/generation.ts'
import type { Observer, Store } from '../../src/engine/ports.ts'
import { openVolume } from '../../src/volume/open.ts'
import type { SyndVolume } from '../../src/volume/volume.ts'
import { ProcessEnded } from '../support/memory-disk-attached.ts'
import type { Random } from '../support/random.ts'
import type { VirtualTime } from '../support/virtual-clock.ts'
import { brakeShare, type Brake } from './brake.ts'
import { diskPoint } from './crash-points.ts'
import type { Faults } from './faults.ts'
import type { Host } from './host.ts'
import { storeOf, type Life } from './life.ts'
import { MemoryNetwork, type Station } from './memory-network.ts'
import { overwrittenBy } from './modes.ts'
import { MemoryTransfer, type Serve } from './memory-transfer.ts'
import { watchDisk } from './memory-watcher.ts'
import { traced, type Trace } from './trace.ts'
import type { Wire } from './wire.ts'

/** Full scans come this often: every few minutes, as shipped. */
const scanIntervalMs = 300_000

export interface ProcessParts {
  readonly name: string
  readonly key: string
  readonly peers: readonly string[]
  /** The names of the peers resolve to nothing when it starts. */
  readonly isUnresolved: boolean
  readonly host: Host
  readonly life: Life
  readonly faults: Faults
  readonly time: VirtualTime
  readonly wire: Wire<Station>
  readonly random: Random
  readonly trace: Trace
  readonly durability: 'full' | 'none'
  /** Null: the brake is off. */
  readonly brake: Brake | null
  readonly isStateInside: boolean
  readonly mode: SyncMode
  readonly onOverwritten: (digests: ReadonlySet<string>) => void
  readonly peerOf: (name: string) => { readonly process: Process | null }
  /** The process ended by itself. */
  readonly onFailure: (error: unknown) => void
  /** The process is there; it may end before it has started. */
  readonly onProcess: (process: Process) => void
}

/** One life of a peer's process: the engine on its ports. */
export interface Process {
  readonly life: Life
  readonly engine: Engine
  readonly network: MemoryNetwork
  readonly deafen: (isDeaf: boolean) => void
  readonly serve: Serve
  /** Ends as it should. */
  stop(): Promise<void>
  /** Lets go of everything outside; the life must be over. */
  release(): void
}

/** Starts a process as the sidecar does. */
export async function startProcess(parts: ProcessParts): Promise<Process> {
  const { name, host, life, faults, time, trace, random, wire, durability } = parts
  const disk = host.disk.attach({
    effect: ({ when, operation, path, to }) =>
      life.effect(when, diskPoint(operation, path, to), `${path} ${to ?? ''}`),
    refuse: (call) => faults.refusalOf(call),
    pause: () => pause(parts),
  })
  const openBoth = async (): Promise<{ store: Store; volume: SyndVolume }> => {
    const store = storeOf(host.store, life, {
      isFull: () => faults.isStoreFull,
      beforeCommit: (transaction) => parts.brake?.look(transaction, host.store, host.hands),
      onCommit: (transaction) => {
        host.committed(transaction)
        const { mode, onOverwritten } = parts
        if (mode === 'send-only') onOverwritten(overwrittenBy(transaction, host.store))
      },
    })
    const ledger = traced(`${name} store`, store, trace)
    const port = traced(`${name} disk`, disk, trace)
    const path = '/data'
    const volume = await openVolume({ disk: port, path, durability, ledger, ids: random })
    return { store: ledger, volume }
  }
  const { isStateInside } = parts
  let state = await openBoth()
  if (!isStateInside && !isOfVolume(state.store, state.volume)) {
    host.loseIndex()
    state = await openBoth()
  }
  const { store, volume } = state
  const volumeMark = isStateInside
    ? volume.marker.mark
    : await redrawGeneration(store, volume, random)
  const watching = watchDisk(host.disk, time)
  const network = new MemoryNetwork({
    ...parts,
    addresses: parts.isUnresolved ? [] : parts.peers,
    unresolved: parts.isUnresolved ? ['peers.example'] : [],
    onBug: parts.onFailure,
  })
  const transfer = new MemoryTransfer({
    name,
    wire,
    clock: host.clock,
    random,
    life,
    trace,
    serveOf: (other) => parts.peerOf(other).process?.serve ?? null,
  })
  const engine = new Engine({
    store,
    volume,
    watcher: watching.watcher,
    network,
    transfer,
    clock: host.clock,
    chance: random,
    observer: observerOf(parts),
    sha256: (text) => parseDigest(createHash('sha256').update(text, 'latin1').digest('hex')),
    settings: {
      name,
      version: '0',
      mode: parts.mode,
      volumePath: '/data',
      isDurable: durability === 'full',
      isStateElsewhere: !isStateInside,
      hasPeers: parts.peers.length > 0,
      scanIntervalMs,
      deleteBrake: parts.brake === null ? null : brakeShare,
    },
    volumeMark,
    bootId: host.bootId,
    source: () => ({ kind: 'embedded', port: 2222 }),
    isAuthorized: () => true,
  })
  const process: Process = {
    life,
    engine,
    network,
    deafen: watching.deafen,
    serve: serveOf(engine, host),
    stop: async () => {
      await engine.stop()
      if (!isStateInside) await endGeneration(store, volume, random)
    },
    release: () => {
      disk.die()
      watching.stop()
      network.kill()
    },
  }
  parts.onProcess(process)
  await engine.start()
  engine.running.catch((error: unknown) => {
    if (!(error instanceof ProcessEnded)) parts.onFailure(error)
    life.end()
  })
  return process
}

/** What takes time on a real disk takes some here, now and then. */
async function pause({ random, host, life }: ProcessParts): Promise<void> {
  if (random.isLikely(0.3)) await host.clock.sleep(random.below(5))
  life.demandAlive()
}

/** What the embedded source does: the bytes on the disk now, if the index still has that digest there. */
function serveOf(engine: Engine, host: Host): Serve {
  return (path, digest) => {
    const entry = engine.servable(path)?.entry
    const content = host.hands.read(path)
    if (entry?.kind !== 'file' || entry.digest !== digest || content === null) return null
    return Buffer.from(content, 'latin1')
  }
}

function observerOf({ name, trace }: ProcessParts): Observer {
  const nothing = (): void => undefined
  return {
    log: (level, message, fields) =>
      trace.line(`${name} log ${level} ${message} ${JSON.stringify(fields ?? {})}`),
    conflicted: nothing,
    notified: nothing,
    pulled: nothing,
    transferFailed: nothing,
    propagated: nothing,
    rejected: (surface, reason) => trace.line(`${name} rejected ${surface} ${reason}`),
    scanned: nothing,
    watchEvents: nothing,
    watchOverflowed: nothing,
    watchDegraded: nothing,
  }
}
