import type { Settings } from '../config/complete.ts'
import { formatHostPort } from '../config/addresses.ts'
import { ownEnvironment } from '../config/environment.ts'
import type { SourceOffer } from '../core/protocol.ts'
import { Engine } from '../engine/engine.ts'
import { fingerprintOfBlob } from '../identity/public-key.ts'
import { HttpServer } from '../observe/http/server.ts'
import type { Log } from '../observe/log.ts'
import { createMetrics } from '../observe/metrics.ts'
import { createObserver } from '../observe/observer.ts'
import { createNetwork } from '../rpc/network.ts'
import { rejectionReasons } from '../rpc/rejection.ts'
import { createTransfer } from '../transfer/pull.ts'
import { createSource } from '../transfer/source.ts'
import { inotifyWatches, inotifyWatchLimit } from '../volume/inotify-limits.ts'
import { openGround } from '../volume/open.ts'
import { openFile } from '../volume/opened-file.ts'
import { sha256OfLatin1 } from '../volume/sha256.ts'
import { VolumeWatcher } from '../volume/watch.ts'
import { readBootId, systemChance, systemClock } from './host.ts'
import { Stack } from './stack.ts'
import { openState } from './state.ts'
import { openTrust } from './trust.ts'
import { readVersion } from './version.ts'

/** The parts of a running peer, wired. */
export interface Sidecar {
  start(): Promise<void>
  /** Rejects when something that must not fail failed. */
  readonly running: Promise<void>
  /** Drains, then closes everything; harmless when it did not start. */
  stop(): Promise<void>
}

/**
 * Opens what the settings name, keys and volume first, and wires it. Throws SyndError with one line for the operator; what was opened is
 * closed then.
 */
export async function openSidecar(settings: Settings, log: Log): Promise<Sidecar> {
  const opened = new Stack()
  try {
    return await wire(settings, log, opened)
  } catch (error) {
    await opened.close()
    throw error
  }
}

async function wire(settings: Settings, log: Log, opened: Stack): Promise<Sidecar> {
  const clock = systemClock
  const chance = systemChance
  const trust = await openTrust(settings, log)
  opened.push(() => trust.stop())
  const ground = await openGround(settings.volume)
  opened.push(() => ground.stop())
  const state = await openState(settings, ground.disk, log)
  const { store, volume, volumeMark } = state
  opened.push(() => store.close())
  const metrics = createMetrics({
    version: readVersion(),
    peers: settings.peers.filter((peer) => peer.kind === 'host').map(({ address }) => address),
    rejections: { grpc: rejectionReasons },
    watchCount: async () => (await inotifyWatches()).length,
    watchLimit: inotifyWatchLimit,
    log,
    nowMs: () => clock.monotonicMs(),
  })
  const observer = createObserver(log, metrics)
  const rejected = (surface: string, reason: string): void => observer.rejected(surface, reason)
  const isAuthorized = (key: string): boolean => trust.authorized.has(key)
  const source =
    settings.sshListen === null
      ? null
      : createSource({
          listen: settings.sshListen,
          hostKey: trust.key.sshPem,
          catalogue: { servable: (path) => engine.servable(path) },
          reader: { open: (path) => openFile(ground.disk, path) },
          authorized: () => trust.authorized.current(),
          rejected,
          log,
          served: (key, sizeBytes) => observer.served(engine.addressOfKey(key), sizeBytes),
        })
  const transfer = createTransfer({
    privateKey: trust.key.sshPem,
    fingerprintOfBlob,
    isAuthorized,
    knownHosts: trust.knownHosts,
    rejected,
    log,
  })
  const network = createNetwork({
    peers: settings.peers,
    listen: settings.grpcListen,
    credentials: trust.credentials,
    isReady: () => engine.readiness().ready,
    clock,
    chance,
    rejected,
    log,
  })
  const engine: Engine = new Engine({
    store,
    volume,
    watcher: new VolumeWatcher({
      volume: settings.volume,
      mode: settings.watch,
      environment: ownEnvironment(),
    }),
    network,
    transfer,
    clock,
    chance,
    observer,
    sha256: sha256OfLatin1,
    settings: {
      name: settings.peerName,
      version: readVersion(),
      mode: settings.mode,
      volumePath: settings.volume,
      isDurable: settings.durability === 'full',
      isStateElsewhere: state.isElsewhere,
      hasPeers: settings.peers.length > 0,
      scanIntervalMs: settings.scanIntervalMs,
      deleteBrake: settings.deleteBrake,
    },
    volumeMark,
    bootId: readBootId(),
    source: () => sourceOffer(settings, source?.port() ?? null),
    isAuthorized,
  })
  const http = new HttpServer({
    listen: settings.httpListen,
    source: {
      status: () => engine.status(),
      readiness: () => engine.readiness(),
      approve: () => engine.approveDeletes(),
      reject: () => engine.rejectDeletes(),
      metrics: (format) => metrics.render(() => engine.status(), format),
    },
    log,
    rejected: (surface, reason) => rejected(surface, reason),
  })
  trust.authorized.onChange(() => {
    source?.dropUnauthorized()
    transfer.trustChanged()
  })
  trust.knownHosts.onChange(() => transfer.trustChanged())
  return {
    start: async () => {
      const { host, port } = await http.start()
      opened.push(() => http.stop())
      if (source !== null) {
        await source.start()
        opened.push(() => source.stop())
      }
      opened.push(() => state.end())
      opened.push(() => engine.stop())
      await engine.start()
      log('info', 'listening', {
        grpc: formatHostPort({ ...settings.grpcListen, port: network.port }),
        ssh:
          source === null
            ? 'off'
            : formatHostPort({ host: settings.sshListen?.host ?? '', port: source.port() }),
        http: formatHostPort({ host, port }),
      })
    },
    get running() {
      return engine.running
    },
    stop: () => opened.close(),
  }
}

function sourceOffer({ sshAdvertise }: Settings, embeddedPort: number | null): SourceOffer {
  if (sshAdvertise?.kind === 'openssh') return sshAdvertise
  if (sshAdvertise?.kind === 'embedded') return { kind: 'embedded', port: sshAdvertise.port }
  return embeddedPort === null ? { kind: 'none' } : { kind: 'embedded', port: embeddedPort }
}
