import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { KeyFingerprint } from '../../src/core/credentials.ts'
import type { Network } from '../../src/engine/ports.ts'
import { CredentialSource } from '../../src/identity/credential-source.ts'
import { publicKeyOf, type PublicKey } from '../../src/identity/public-key.ts'
import type { PeerAddress } from '../../src/rpc/address-book.ts'
import type { Credentials } from '../../src/rpc/credentials.ts'
import { createNetwork, type GrpcNetwork, type NetworkOptions } from '../../src/rpc/network.ts'
import type { RejectionReason } from '../../src/rpc/rejection.ts'
import type { NetworkWorld } from '../conformance/network-suite.ts'
import { Forwarder } from './forwarder.ts'
import { realChance, realClock, until } from './real-time.ts'

/** A host's key pair and whom it lets in. */
export interface Identity {
  readonly key: KeyFingerprint
  readonly publicKey: PublicKey
  readonly privateKey: KeyObject
  readonly credentials: CredentialSource
  /** Replaces the keys that are let in. */
  authorize(...identities: readonly Identity[]): void
}

/** `nowMs` is its clock; leaves are made by it. */
export async function makeIdentity(nowMs: () => number = Date.now): Promise<Identity> {
  const pair = generateKeyPairSync('ed25519')
  const publicKey = publicKeyOf(pair.publicKey)
  if (typeof publicKey === 'string') throw new Error(publicKey)
  let trusted: readonly PublicKey[] = []
  let changed = () => {}
  const credentials = new CredentialSource({
    privateKey: pair.privateKey,
    trusted: {
      current: () => trusted,
      onChange: (listener) => {
        changed = listener
        return () => {}
      },
    },
    log: () => {},
    nowMs,
  })
  await credentials.start()
  return {
    key: publicKey.fingerprint,
    publicKey,
    privateKey: pair.privateKey,
    credentials,
    authorize: (...identities) => {
      trusted = identities.map((identity) => identity.publicKey)
      changed()
    },
  }
}

/** Resolves when the credentials are those of the keys that were authorized last. */
export async function authorizeEachOther(...identities: readonly Identity[]): Promise<void> {
  for (const identity of identities) {
    const renewed = new Promise<void>((resolve) => {
      const stop = identity.credentials.onChange(() => {
        stop()
        resolve()
      })
    })
    identity.authorize(...identities)
    await renewed
  }
}

export function hostAddress(port: number, host = '127.0.0.1'): PeerAddress {
  return { kind: 'host', host, port, address: `${host}:${port}` }
}

export interface TestNetwork extends GrpcNetwork {
  readonly reasons: RejectionReason[]
  readonly logged: string[]
}

/** A network on a free port of the loopback address. */
export function openNetwork(
  credentials: Credentials | null,
  options: Partial<NetworkOptions> = {},
): TestNetwork {
  const reasons: RejectionReason[] = []
  const logged: string[] = []
  const network = createNetwork({
    peers: [],
    listen: { host: '127.0.0.1', port: 0 },
    credentials,
    clock: realClock,
    chance: realChance,
    isReady: () => true,
    rejected: (_, reason) => reasons.push(reason),
    log: (level, message, fields) => logged.push(`${level} ${message} ${JSON.stringify(fields)}`),
    ...options,
  })
  return {
    reasons,
    logged,
    get port() {
      return network.port
    },
    start: (handler) => network.start(handler),
    dropAddress: (address) => network.dropAddress(address),
    stop: () => network.stop(),
  }
}

/** Hosts on this machine, each behind a port of its own. */
export async function openGrpcWorld(withTls: boolean): Promise<NetworkWorld> {
  const names = ['a', 'b', 'c']
  const doors = new Map<string, Forwarder>()
  const identities = new Map<string, Identity>()
  for (const name of names) {
    doors.set(name, await new Forwarder().start())
    if (withTls) identities.set(name, await makeIdentity())
  }
  await authorizeEachOther(...identities.values())
  const door = (name: string): Forwarder => {
    const found = doors.get(name)
    if (found === undefined) throw new Error(`no host ${name}`)
    return found
  }
  return {
    create: (name, peers): Network => {
      const network = openNetwork(identities.get(name)?.credentials ?? null, {
        peers: peers.map((peer) => hostAddress(door(peer).port)),
      })
      return {
        start: async (handler) => {
          await network.start(handler)
          door(name).pointTo(network.port)
        },
        dropAddress: (address) => network.dropAddress(address),
        stop: async () => {
          door(name).pointTo(0)
          await network.stop()
        },
      }
    },
    addressOf: (name) => `127.0.0.1:${door(name).port}`,
    cut: (name) => door(name).cut(),
    until,
    close: async () => {
      for (const { credentials } of identities.values()) credentials.stop()
      for (const forwarder of doors.values()) await forwarder.stop()
    },
  }
}
