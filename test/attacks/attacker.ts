import { readFileSync } from 'node:fs'
import type { HelloAnswer } from '../../src/core/protocol.ts'
import { parsePublicLine } from '../../src/identity/authorized-keys.ts'
import { publicLine } from '../../src/identity/public-key.ts'
import { formatPrivateKey } from '../../src/identity/ssh-private-key.ts'
import { FakeEngine } from '../conformance/fake-engine.ts'
import { RawClient } from '../rpc/raw-client.ts'
import { makeIdentity, openNetwork, type Identity } from '../rpc/world.ts'
import { startFakeSource } from '../transfer/fake-source.ts'
import type { TestKey } from '../transfer/keys.ts'

/** A member gone bad: its key is authorized, its gRPC server and its SSH server say whatever a test wants. */
export interface Attacker {
  readonly identity: Identity
  readonly key: TestKey
  readonly grpcPort: number
  /** What is told to it, and who it says that it is. */
  readonly engine: FakeEngine
  /** Knows the keys in this file from now on. */
  trust(authorizedKeys: string): void
  /** A gRPC client with the attacker's certificate. */
  client(port: number): RawClient
  stop(): Promise<void>
}

/** `answer` is what its SSH server does with each exec. */
export async function startAttacker(
  answer: Parameters<typeof startFakeSource>[0] = (channel) => channel.close(),
): Promise<Attacker> {
  const identity = await makeIdentity()
  const { publicKey, privateKey } = identity
  const key: TestKey = {
    fingerprint: publicKey.fingerprint,
    sshBlob: publicKey.sshBlob,
    algorithm: publicKey.algorithm,
    sshPem: formatPrivateKey(publicKey, privateKey, ''),
    publicLine: publicLine(publicKey, ''),
  }
  const source = await startFakeSource(answer, { key })
  const port = source.target.source.kind === 'embedded' ? source.target.source.port : 0
  const engine = new AttackingEngine(port)
  // New, as the others: nobody waits for its index.
  engine.joining = true
  const network = openNetwork(identity.credentials)
  await network.start(engine)
  const clients: RawClient[] = []
  return {
    identity,
    key,
    grpcPort: network.port,
    engine,
    trust: (authorizedKeys) => identity.authorize(...identitiesIn(authorizedKeys, identity)),
    client: (port) => {
      const client = new RawClient({ port, identity })
      clients.push(client)
      return client
    },
    stop: async () => {
      for (const client of clients) client.close()
      await network.stop()
      await source.stop()
      identity.credentials.stop()
    },
  }
}

class AttackingEngine extends FakeEngine {
  readonly #sshPort: number

  constructor(sshPort: number) {
    super('attacker')
    this.#sshPort = sshPort
  }

  override answerOf(): HelloAnswer {
    return { ...super.answerOf(), source: { kind: 'embedded', port: this.#sshPort } }
  }
}

function identitiesIn(path: string, like: Identity): Identity[] {
  const lines = readFileSync(path, 'utf8').trim().split('\n')
  return lines.map((line) => {
    const publicKey = parsePublicLine(line)
    if (typeof publicKey === 'string') throw new Error(publicKey)
    return { ...like, publicKey }
  })
}
