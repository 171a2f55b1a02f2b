import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { generateKeyPair } from '../../src/identity/keys.ts'
import { realHands, type Hands } from '../support/hands.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { SidecarProcess } from './sidecar-process.ts'
import { readTree, treeDifference } from './tree.ts'
import { until } from './wait.ts'

/** One real peer: a volume and the process that keeps it. */
export interface Member {
  readonly name: string
  readonly volume: string
  readonly hands: Hands
  readonly process: SidecarProcess
  readonly ports: { readonly grpc: number; readonly ssh: number; readonly http: number }
}

/** Where a member lives: its volume, and the directory of the cluster for whatever else it needs. */
interface Place {
  readonly volume: string
  readonly home: string
}

/** The port under which `from` lists `to`, whose own is `grpcPort`; null: it does not. */
export type Listing = (from: string, to: string, grpcPort: number) => number | null

/** Real peers on this machine: own processes, TLS, SSH, inotify; full mesh, if `listing` says nothing else. */
export class Cluster {
  readonly members: readonly Member[]
  readonly #remove: () => void

  private constructor(members: readonly Member[], remove: () => void) {
    this.members = members
    this.#remove = remove
  }

  /**
   * Makes volumes, keys and processes; starts none. `settings` are SYND_* variables for all; `moreKeys` are lines of others who are let in,
   * `morePeers` addresses of others who are dialled.
   */
  static async make(
    names: readonly string[],
    {
      settings = {},
      settingsOf = () => ({}),
      makeKey = generateKey,
      commandOf = () => null,
      listing = (_from, _to, grpcPort) => grpcPort,
      hostOf = () => '127.0.0.1',
      volumeOf = () => null,
      moreKeys = [],
      morePeers = () => [],
    }: {
      settings?: Readonly<Record<string, string>>
      settingsOf?: (name: string, place: Place) => Readonly<Record<string, string>>
      /** Writes a private key to `path` and gives its public line. */
      makeKey?: (name: string, path: string) => string
      /** Something else than the launcher on the pinned Node; null: that. */
      commandOf?: (name: string) => readonly string[] | null
      listing?: Listing
      /** Under which address of this machine one lists another. */
      hostOf?: (from: string, to: string) => string
      /** A directory that is there already; null: one is made. */
      volumeOf?: (name: string) => string | null
      moreKeys?: readonly string[]
      morePeers?: (name: string) => readonly string[]
    } = {},
  ): Promise<Cluster> {
    const { path: root, remove } = temporaryDirectory()
    const ports = await freePorts(names.length * 3)
    const lines: string[] = [...moreKeys]
    const plans = names.map((name, index) => {
      const [grpc = 0, ssh = 0, http = 0] = ports.slice(index * 3)
      const key = join(root, `${name}.key`)
      lines.push(makeKey(name, key))
      const given = volumeOf(name)
      const volume = given ?? join(root, name)
      if (given === null) mkdirSync(volume)
      return { name, volume, key, ports: { grpc, ssh, http } }
    })
    const authorizedKeys = join(root, 'authorized_keys')
    writeFileSync(authorizedKeys, `${lines.join('\n')}\n`)
    const members = plans.map(({ name, volume, key, ports: own }): Member => {
      const listed = plans
        .filter((plan) => plan.name !== name)
        .map((other) => ({
          host: hostOf(name, other.name),
          port: listing(name, other.name, other.ports.grpc),
        }))
        .filter(({ port }) => port !== null)
        .map(({ host, port }) => `${host}:${port}`)
      const environment = {
        SYND_VOLUME: volume,
        SYND_PEER_NAME: name,
        SYND_PEERS: [...listed, ...morePeers(name)].join(','),
        SYND_GRPC_LISTEN: `127.0.0.1:${own.grpc}`,
        SYND_SSH_LISTEN: `127.0.0.1:${own.ssh}`,
        SYND_HTTP_LISTEN: `127.0.0.1:${own.http}`,
        SYND_SSH_KEY: key,
        SYND_SSH_AUTHORIZED_KEYS: authorizedKeys,
        ...settings,
        ...settingsOf(name, { volume, home: root }),
      }
      const process = new SidecarProcess({
        environment,
        httpPort: own.http,
        command: commandOf(name),
      })
      return { name, volume, hands: realHands(volume), process, ports: own }
    })
    return new Cluster(members, remove)
  }

  member(name: string): Member {
    const member = this.members.find((one) => one.name === name)
    if (member === undefined) throw new Error(`no member ${name}`)
    return member
  }

  /** Starts all and waits until they say that they are in sync. */
  async start(): Promise<void> {
    for (const { process } of this.members) process.start()
    await this.untilInSync()
  }

  /** Every peer says that it is in sync, and the trees are equal byte for byte. */
  async untilInSync(times: Parameters<typeof until>[1] = {}): Promise<void> {
    await until(async () => {
      const statuses = await Promise.all(this.members.map(({ process }) => process.status()))
      if (!statuses.every((status) => status?.inSync === true)) return this.#report(statuses)
      const digests = new Set(statuses.map((status) => status?.volume.treeDigest))
      return digests.size === 1 ? this.difference() : 'the tree digests differ'
    }, times)
  }

  /** The trees are equal to that of `name`, who made the last change; whatever the peers say of themselves. */
  async untilLike(name: string): Promise<void> {
    await until(() => this.difference(name))
  }

  /** How the volumes of `among`, all if not given, differ from that of `like`; null: they do not. */
  difference(like = this.members[0]?.name ?? '', among?: readonly string[]): string | null {
    const tree = readTree(this.member(like).volume)
    for (const member of this.members) {
      if (among?.includes(member.name) === false) continue
      const difference = treeDifference(tree, readTree(member.volume))
      if (difference !== null) return `${like} and ${member.name}: ${difference}`
    }
    return null
  }

  #report(statuses: readonly unknown[]): string {
    const texts = this.members.map(
      ({ name, process }, index) =>
        `${name}: ${JSON.stringify(statuses[index])}\n${process.output.slice(-3000)}`,
    )
    return ['not in sync', ...texts].join('\n')
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map(({ process }) => process.kill()))
    this.#remove()
  }
}

function generateKey(name: string, path: string): string {
  const { privateKeyText, publicLine } = generateKeyPair({ comment: name })
  writeFileSync(path, privateKeyText, { mode: 0o600 })
  return publicLine
}

/** Ports that are free now; somebody else may take one in between, which the test then says. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports: number[] = []
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    if (address !== null && typeof address === 'object') ports.push(address.port)
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
