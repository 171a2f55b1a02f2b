import { Cluster } from '../e2e/cluster.ts'
import { Forwarder } from '../rpc/forwarder.ts'

/** How many peers, and who lists whom. */
export interface Shape {
  readonly members: readonly string[]
  readonly kind: 'mesh' | 'chain'
}

interface Link {
  readonly ends: readonly [string, string]
  /** One for each side's way to the other. */
  readonly ways: readonly [Forwarder, Forwarder]
  readonly ports: number[]
}

/** Real peers whose connections can be cut, one pair at a time. */
export class LinkedCluster {
  readonly cluster: Cluster
  readonly #links: readonly Link[]

  private constructor(cluster: Cluster, links: readonly Link[]) {
    this.cluster = cluster
    this.#links = links
  }

  /** Makes volumes, keys and processes; starts none. */
  static async make(
    shape: Shape,
    settings: Readonly<Record<string, string>>,
  ): Promise<LinkedCluster> {
    const links = await Promise.all(
      pairsOf(shape).map(async (ends): Promise<Link> => {
        const ways = [await new Forwarder().start(), await new Forwarder().start()] as const
        return { ends, ways, ports: [0, 0] }
      }),
    )
    const cluster = await Cluster.make(shape.members, {
      settings,
      listing: (from, to, grpcPort) => {
        const link = links.find(({ ends }) => ends.includes(from) && ends.includes(to))
        if (link === undefined) return null
        const way = link.ends[0] === from ? 0 : 1
        link.ports[way] = grpcPort
        link.ways[way].pointTo(grpcPort)
        return link.ways[way].port
      },
    })
    return new LinkedCluster(cluster, links)
  }

  get linkCount(): number {
    return this.#links.length
  }

  /** The two hear nothing of each other any more, but through others. */
  cut(index: number): void {
    for (const way of this.#links[index]?.ways ?? []) {
      way.pointTo(0)
      way.cut()
    }
  }

  heal(index: number): void {
    const link = this.#links[index]
    for (const [way, forwarder] of link?.ways.entries() ?? [])
      forwarder.pointTo(link?.ports[way] ?? 0)
  }

  healAll(): void {
    for (const index of this.#links.keys()) this.heal(index)
  }

  async stop(): Promise<void> {
    await this.cluster.stop()
    for (const { ways } of this.#links) await Promise.all(ways.map((way) => way.stop()))
  }
}

function pairsOf({ members, kind }: Shape): (readonly [string, string])[] {
  return members.flatMap((from, index) => {
    const others = kind === 'chain' ? members.slice(index + 1, index + 2) : members.slice(index + 1)
    return others.map((to) => [from, to] as const)
  })
}
