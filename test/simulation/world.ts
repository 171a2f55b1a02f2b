import { createHash } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { Random } from '../support/random.ts'
import { VirtualTime } from '../support/virtual-clock.ts'
import { Wire } from './memory-network.ts'
import { doSomething } from './people.ts'
import { SimPeer } from './sim-peer.ts'
import { Values } from './values.ts'

export type Topology = 'mesh' | 'chain' | 'star' | 'ring'

export interface Plan {
  readonly seed: number
  readonly peers: number
  readonly topology: Topology
  readonly steps: number
  /** A file that gets every line of the trace. */
  readonly traceFile?: string | undefined
}

/** How long peers may take to agree once everybody is up and connected; virtual. */
const restMs = 60 * 60_000

/** One random history of several peers: people at work, hosts that come and go, links that break; then everybody is left in peace. */
export class World {
  readonly #plan: Plan
  readonly #time = new VirtualTime()
  readonly #random: Random
  readonly #wire: Wire
  readonly #values = new Values()
  readonly #peers: readonly SimPeer[]
  readonly #hash = createHash('sha256')
  readonly #script: string[] = []
  readonly #endedAt = new Set<string>()

  constructor(plan: Plan) {
    this.#plan = plan
    this.#random = new Random(plan.seed)
    this.#wire = new Wire({ time: this.#time, random: this.#random.fork() })
    const names = Array.from({ length: plan.peers }, (_, index) => `p${index}`)
    this.#peers = names.map(
      (name, index) =>
        new SimPeer({
          name,
          peers: neighbours(names, index, plan.topology),
          time: this.#time,
          wire: this.#wire,
          random: this.#random.fork(),
          trace: (text) => this.#trace(text),
          peerOf: (other) => this.#peer(other),
        }),
    )
  }

  /** What people and fate did, a line each. */
  get script(): readonly string[] {
    return this.#script
  }

  /** Where processes were made to end. */
  get endedAt(): ReadonlySet<string> {
    return this.#endedAt
  }

  /** Runs the history and checks what must hold in the end; throws an Error that says what does not. Returns the trace's hash. */
  async run(): Promise<string> {
    for (const peer of this.#peers) {
      for (let count = this.#random.below(4); count > 0; count--) this.#say(peer, this.#act(peer))
      await peer.start()
    }
    for (let step = 0; step < this.#plan.steps; step++) {
      await this.#step()
      await this.#time.pass(this.#random.pick([0, 1, 20, 200, 2_000]))
    }
    await this.#rest()
    this.#checkTrees()
    for (const peer of this.#peers) await peer.stop()
    return this.#hash.digest('hex')
  }

  async #step(): Promise<void> {
    const peer = this.#random.pick(this.#peers)
    const other = this.#random.pick(this.#peers)
    const chance = this.#random.fraction()
    if (chance < 0.7) this.#say(peer, this.#act(peer))
    else if (chance < 0.78) {
      this.#say(peer, `cut from ${other.name}`)
      this.#wire.cut(peer.name, other.name)
    } else if (chance < 0.86) {
      this.#say(peer, `joined with ${other.name}`)
      this.#wire.join(peer.name, other.name)
    } else if (chance < 0.9) {
      this.#say(peer, 'a link breaks')
      this.#wire.breakOne()
    } else await this.#comeOrGo(peer)
  }

  async #comeOrGo(peer: SimPeer): Promise<void> {
    if (!peer.isUp) {
      if (peer.endedAt !== null) this.#endedAt.add(peer.endedAt)
      peer.kill()
      const endAt = this.#random.isLikely(0.7) ? 1 + this.#random.below(120) : null
      this.#say(peer, `start${endAt === null ? '' : ` until effect ${endAt}`}`)
      await peer.start({ endAt })
    } else if (this.#random.isLikely(0.5)) {
      this.#say(peer, 'kill -9')
      peer.kill()
    } else {
      this.#say(peer, 'stop')
      const stopped = peer.stop()
      await this.#time.pass(100)
      await stopped
    }
  }

  /** Everybody up, everything connected, nobody at work: until all say that they are in sync. */
  async #rest(): Promise<void> {
    this.#wire.joinAll()
    for (const peer of this.#peers) {
      if (peer.isUp && peer.endedAt === null) {
        // A life that was to end at some effect may still do so: start it anew.
      }
      if (peer.endedAt !== null) this.#endedAt.add(peer.endedAt)
      peer.kill()
      await peer.start()
    }
    const deadlineMs = this.#time.nowMs + restMs
    while (this.#time.nowMs < deadlineMs) {
      await this.#time.pass(1_000)
      if (this.#peers.every(({ engine }) => engine?.status().inSync === true)) return
    }
    throw new Error(this.#report('not in sync after an hour in peace'))
  }

  #checkTrees(): void {
    const trees = this.#peers.map(({ hands }) => hands.tree())
    const first = describe(trees[0])
    for (const [index, tree] of trees.entries()) {
      if (describe(tree) !== first) throw new Error(this.#report(`p0 and p${index} differ`))
      const missing = this.#values.missingFrom(tree)
      if (missing.length > 0) throw new Error(this.#report(`p${index} lost ${missing.join(', ')}`))
    }
    const digests = new Set(this.#peers.map(({ engine }) => engine?.status().volume.treeDigest))
    if (digests.size > 1) throw new Error(this.#report('equal trees have different digests'))
  }

  #act(peer: SimPeer): string {
    return doSomething(peer.hands, this.#random, this.#values)
  }

  #peer(name: string): SimPeer {
    const peer = this.#peers.find((one) => one.name === name)
    if (peer === undefined) throw new Error(`no peer ${name}`)
    return peer
  }

  #say(peer: SimPeer, what: string): void {
    const line = `${this.#time.nowMs} ${peer.name} ${what}`
    this.#script.push(line)
    this.#trace(`— ${line}`)
  }

  #trace(text: string): void {
    this.#hash.update(text)
    const { traceFile } = this.#plan
    if (traceFile !== undefined) appendFileSync(traceFile, `${this.#time.nowMs} ${text}\n`)
  }

  #report(what: string): string {
    const states = this.#peers.map((peer) => {
      const status = peer.engine?.status()
      const problems = status?.problems.map(
        ({ path, code, message }) => `${path} ${code} ${message}`,
      )
      const peers = status?.peers.map(({ address, connected, inSync, pendingChanges }) => ({
        address,
        connected,
        inSync,
        pendingChanges,
      }))
      return `${peer.name}: ${JSON.stringify({ state: status?.volume.state, inSync: status?.inSync, peers, problems })}\n${describe(peer.hands.tree())}`
    })
    const { seed, peers, topology, steps } = this.#plan
    const plan = JSON.stringify({ seed, peers, topology, steps })
    return [`${what} (${plan})`, ...this.#script, ...states].join('\n')
  }
}

function describe(tree: ReadonlyMap<string, string> | undefined): string {
  return [...(tree ?? [])].map(([path, shown]) => `  ${path}: ${shown}`).join('\n')
}

function neighbours(names: readonly string[], index: number, topology: Topology): string[] {
  const last = names.length - 1
  const isNeighbour = (other: number): boolean => {
    const distance = Math.abs(other - index)
    switch (topology) {
      case 'mesh':
        return distance > 0
      case 'chain':
        return distance === 1
      case 'star':
        return distance > 0 && (other === 0 || index === 0)
      case 'ring':
        return distance === 1 || (distance === last && last > 0)
    }
  }
  return names.filter((_, other) => isNeighbour(other))
}
