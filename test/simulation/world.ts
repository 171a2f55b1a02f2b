import { Random } from '../support/random.ts'
import { VirtualTime } from '../support/virtual-clock.ts'
import { failureOf, faultAtRest, lossAnywhere, treeOf } from './checks.ts'
import { contentsInHold, digestOf, filesBelow } from './contents.ts'
import { Forks } from './forks.ts'
import { NotPossible, type Scene } from './deed.ts'
import { fileDeeds } from './deeds-files.ts'
import { ignoreFile } from './deeds-ignore.ts'
import { nextScanMs } from './deeds-hosts.ts'
import { deeds } from './deeds.ts'
import { printHistory, printStep, type History, type Step } from './history.ts'
import type { Station } from './memory-network.ts'
import { SimPeer } from './sim-peer.ts'
import { knownBy } from './known.ts'
import { decide } from './deeds-brake.ts'
import { Ignored } from './ignored.ts'
import { Coverage } from './invariants.ts'
import { faultApart } from './modes.ts'
import { neighbours } from './topology.ts'
import { supersede } from './supersede.ts'
import { Trace } from './trace.ts'
import { lieOf, quietMs } from './truth.ts'
import { Versions } from './versions.ts'
import { Values } from './values.ts'
import { Wire } from './wire.ts'

/** How long peers may take to agree once everybody is up and connected; virtual. */
const longestRestMs = 2 * 60 * 60_000

/** A conflict that is contended waits for ten minutes (rule 8), and several may follow each other; virtual. */
const longestConflictMs = 60 * 60_000

/** Who is to end at some point gets so long to come to it, when all is well. */
const longestDoomMs = 30_000

/** More than any history has. */
const allPaths = 1_000

/** A process starts, and stops, within this. */
const longestWorkMs = 10_000

export interface RunOptions {
  /** A file that gets every line of the trace. */
  readonly traceFile?: string | undefined
  /** Every call on a port belongs to the trace. */
  readonly isTracingPorts?: boolean
  /** Instead of two hours. */
  readonly restMs?: number
}

/** What a history came to. */
export interface Outcome {
  /** What does not hold, in a line; null: all held. */
  readonly failure: string | null
  /** The failure with everything about it. */
  readonly report: string
  readonly traceDigest: string
  /** Kinds of effects at which processes ended. */
  readonly endedAt: ReadonlySet<string>
  /** What was the case when lives began. */
  readonly startedWith: ReadonlySet<string>
  /** Kinds of effects that processes came to: where they might have ended. */
  readonly points: ReadonlySet<string>
  /** Deeds that were possible and done; what was done between two calls with `between` ahead. */
  readonly done: ReadonlySet<string>
}

/** Runs one history: people at work, hosts that come and go, links that break; then everybody is left in peace. */
export async function runHistory(history: History, options: RunOptions = {}): Promise<Outcome> {
  return new World(history, options).run()
}

/** A run found something that must not be. */
class Fault extends Error {
  override readonly name = 'Fault'
}

class World {
  readonly #history: History
  readonly #restMs: number
  readonly #time = new VirtualTime()
  readonly #trace: Trace
  readonly #values = new Values({ nowMs: () => this.#time.nowMs })
  readonly #forks = new Forks()
  readonly #coverage = new Coverage({ isExcused: (path) => this.#ignored.has(path) })
  readonly #versions = new Versions()
  readonly #ignored = new Ignored()
  readonly #wire: Wire<Station>
  readonly #peers: readonly SimPeer[]
  readonly #scene: Scene
  readonly #script: string[] = []
  #verdicts = 0

  constructor(history: History, options: RunOptions) {
    const { traceFile, isTracingPorts = false, restMs = longestRestMs } = options
    const random = new Random(history.seed)
    const time = this.#time
    this.#history = history
    this.#restMs = restMs
    this.#trace = new Trace({
      nowMs: () => time.nowMs,
      file: traceFile,
      isOfPorts: isTracingPorts,
    })
    this.#wire = new Wire({ time, random: random.fork() })
    const names = Array.from({ length: history.peers }, (_, index) => `p${index}`)
    this.#peers = names.map(
      (name, index) =>
        new SimPeer({
          name,
          key: history.isFleet ? 'fleet' : name,
          peers: neighbours(names, index, history.topology),
          time,
          wire: this.#wire,
          random: random.fork(),
          trace: this.#trace,
          durability: history.durability,
          hasBrake: history.hasBrake,
          isStateInside: history.isStateInside,
          mode: history.modes?.[index] ?? 'send-receive',
          onOverwritten: (digests) => this.#values.supersedeDigests(digests),
          onVanished: (digests) => this.#values.supersedeDigests(digests),
          peerOf: (other) => this.#peer(other),
          onPowerLost: (peer, index) => {
            this.#forgivePowerLoss(peer)
            if (index.older !== null) this.#forks.rolledBack(peer, index.before, index.older)
          },
        }),
    )
    this.#scene = {
      peers: this.#peers,
      wire: this.#wire,
      time,
      values: this.#values,
      forks: this.#forks,
      going: { count: 0 },
      done: new Set(),
    }
  }

  async run(): Promise<Outcome> {
    let failure: string | null = null
    try {
      for (const step of this.#history.steps) await this.#take(step)
      await this.#rest()
      if (this.#history.modes !== undefined) await this.#restApart()
      this.#forks.forgive(this.#values)
      if (this.#history.modes === undefined) {
        this.#demand(faultAtRest(this.#peers, this.#values))
        await this.#startAnew()
      }
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      failure = error.message
    }
    const report = failure === null ? '' : this.#report(failure)
    for (const peer of this.#peers) peer.kill()
    return {
      failure,
      report,
      traceDigest: this.#trace.digest(),
      endedAt: new Set(this.#peers.flatMap(({ endedAt }) => [...endedAt])),
      points: new Set(this.#peers.flatMap(({ points }) => [...points])),
      done: this.#scene.done,
      startedWith: new Set(this.#peers.flatMap(({ startedWith }) => [...startedWith])),
    }
  }

  async #take(step: Step): Promise<void> {
    const deed = deeds.get(step.deed)
    const peer = this.#peers[step.peer]
    if (deed === undefined) throw new Error(`no deed ${step.deed}`)
    if (peer === undefined) return
    let outcome = ''
    try {
      if (peer.isOff && step.deed in fileDeeds) throw new NotPossible('the power is off')
      await this.#drive(deed.act(this.#scene, peer, step.args))
      this.#scene.done.add(step.deed)
    } catch (error) {
      if (error instanceof Fault) throw error
      outcome = ` (not possible: ${error instanceof Error ? error.message : String(error)})`
    }
    this.#ignored.note(this.#peers)
    const line = `${this.#time.nowMs} ${printStep(step)}${outcome}`
    this.#script.push(line)
    this.#trace.line(`— ${line}`)
    await this.#time.pass(step.thenMs)
    this.#demand(failureOf(this.#peers))
    this.#forks.forgive(this.#values)
    this.#demand(lossAnywhere(this.#peers, this.#values))
    this.#ignored.note(this.#peers)
    this.#demand(this.#coverage.fault(this.#peers, this.#values))
    this.#demand(this.#versions.fault(this.#peers, this.#forks))
    if (step.thenMs >= quietMs && this.#scene.going.count === 0)
      this.#demand(lieOf(this.#peers, this.#wire))
  }

  /** Everybody up, everything connected, nobody at work: until all say that they are in sync. */
  async #rest(): Promise<void> {
    this.#wire.joinAll()
    this.#wire.maxDelayMs = 30
    for (const peer of this.#peers) {
      peer.faults.end()
      if (peer.isUnresolved) peer.isUnresolved = false
    }
    if (this.#peers.some(({ isDoomed }) => isDoomed)) {
      // Some points are come to in peace only.
      for (const peer of this.#peers) await this.#drive(peer.start())
      await this.#time.pass(longestDoomMs)
    }
    for (const peer of this.#peers) {
      peer.spare()
      await this.#drive(peer.start())
    }
    if (this.#history.modes === undefined)
      await this.#untilInSync('not in sync after a long time in peace')
  }

  /** With modes there may always be something apart: until nothing happens any more. */
  async #restApart(): Promise<void> {
    await this.#time.pass(longestConflictMs)
    this.#demand(failureOf(this.#peers))
    this.#demand(lossAnywhere(this.#peers, this.#values))
    this.#demand(lieOf(this.#peers, this.#wire))
    if (this.#history.topology === 'mesh') this.#demand(faultApart(this.#peers))
  }

  /** Once more from the start: nothing is to change by that. */
  async #startAnew(): Promise<void> {
    if (this.#history.seed % 4 !== 0) return
    // What is looked at again at a start is looked at again by every full scan.
    await this.#time.pass(nextScanMs)
    await this.#untilInSync('not in sync after the next scan')
    const before = this.#peers.map((peer) => treeOf(peer))
    for (const peer of this.#peers) {
      await this.#drive(peer.stop())
      await this.#drive(peer.start())
    }
    await this.#untilInSync('after a restart not in sync for a long time')
    this.#demand(faultAtRest(this.#peers, this.#values))
    const changed = this.#peers.find((peer, index) => treeOf(peer) !== before[index])
    if (changed !== undefined) throw new Fault(`a restart changed the tree of ${changed.name}`)
  }

  /** Lets time pass until the work is done. */
  async #drive(work: void | Promise<void>): Promise<void> {
    if (work === undefined) return
    const state = { isDone: false }
    const done = work.finally(() => {
      state.isDone = true
    })
    done.catch(() => undefined)
    const deadlineMs = this.#time.nowMs + longestWorkMs
    while (!state.isDone) {
      await this.#time.pass(1)
      if (this.#time.nowMs > deadlineMs) throw new Fault('a start or stop does not end')
    }
    await done
  }

  async #untilInSync(otherwise: string): Promise<void> {
    const deadlineMs = this.#time.nowMs + this.#restMs
    while (this.#time.nowMs < deadlineMs) {
      await this.#time.pass(1_000)
      this.#demand(failureOf(this.#peers))
      const isIgnoring = this.#unignore()
      const isInSync = this.#peers.every(({ engine }) => engine?.status().inSync === true)
      await this.#decide()
      if (isInSync && this.#scene.going.count === 0 && !isIgnoring) return
    }
    throw new Fault(otherwise)
  }

  /** At rest nothing is left out any more, so that all that was must come together. An edit elsewhere may bring the file back. */
  #unignore(): boolean {
    const ignoring = this.#peers.filter(({ hands }) => hands.tree().has(ignoreFile))
    for (const peer of ignoring) {
      supersede(this.#values, peer, ignoreFile)
      peer.hands.remove(ignoreFile)
    }
    return ignoring.length > 0
  }

  /** Somebody decides what is held back: without that nobody is ever in sync (rule 19). */
  async #decide(): Promise<void> {
    for (const [index, peer] of this.#peers.entries()) {
      if (peer.host.store.heldDeletes().length === 0) continue
      if (peer.engine?.status().inSync === true)
        throw new Fault(`${peer.name} says that it is in sync, and holds deletes back`)
      const isApproved = (this.#history.seed + index + this.#verdicts++) % 2 === 0
      // What cannot be taken back, as something else has its place, is approved in the end.
      const isDone = await this.#isPossible(decide(peer, isApproved ? 'approve' : 'reject'))
      if (!isDone) await this.#isPossible(decide(peer, 'approve'))
    }
  }

  async #isPossible(work: Promise<void>): Promise<boolean> {
    try {
      await this.#drive(work)
      return true
    } catch (error) {
      if (error instanceof NotPossible) return false
      throw error
    }
  }

  /** After a power loss: what was only there and nobody had made durable may be gone. */
  #forgivePowerLoss(peer: SimPeer): void {
    const others = this.#peers.filter((other) => other !== peer)
    // Where somebody moved it away the others are about to remove it.
    const kept = others.map(({ name, hands }) => {
      const files = filesBelow(hands, '')
      const stays = files.filter(([path, content]) => this.#values.isLiveAt(content, path))
      return { name, contents: new Set(stays.map(([, content]) => content)) }
    })
    const here = new Map(filesBelow(peer.hands, ''))
    const held = new Set(contentsInHold(peer.hands))
    const { store } = peer.host
    const isSynced = this.#history.durability === 'full'
    this.#values.forgive((content, value) => {
      const paths = store.findByDigest(digestOf(content), allPaths)
      const isIndexed = paths.length > 0
      const isPromised = isSynced && (value.host === peer.name ? value.isSynced : isIndexed)
      if (isPromised) return true
      // What Synd cannot know (rule 23): that what it saw last was not on the disk when it ended.
      const isKept = kept.some(
        ({ name, contents }) => contents.has(content) && !value.doubtfulOn.has(name),
      )
      if (isKept) {
        value.doubtfulOn.add(peer.name)
        return true
      }
      return paths.some((path) => here.get(path) === content || held.has(content))
    })
  }

  #peer(name: string): SimPeer {
    const peer = this.#peers.find((one) => one.name === name)
    if (peer === undefined) throw new Error(`no peer ${name}`)
    return peer
  }

  #demand(fault: string | null): void {
    if (fault !== null) throw new Fault(fault)
  }

  #report(failure: string): string {
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
      return `${peer.name}: ${JSON.stringify({ id: status?.peer.id, state: status?.volume.state, inSync: status?.inSync, peers, problems })}\n${treeOf(peer)}\n${knownBy(peer.host.store)}`
    })
    return [failure, printHistory(this.#history), '', ...this.#script, ...states].join('\n')
  }
}
