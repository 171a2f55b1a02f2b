import type { Cluster } from '../e2e/cluster.ts'
import { untilAtRest } from './at-rest.ts'
import { suspend } from './suspend.ts'

/** The processes of a cluster: which of them run, are suspended or down, as the test wants it. */
export class Lives {
  readonly #cluster: Cluster
  readonly #state = new Map<string, 'running' | 'suspended' | 'down'>()
  /** How much a process had printed when it was started last. */
  readonly #saidBefore = new Map<string, number>()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** Runs `work` while the member stands still, if it is to, or goes on; `isStill` says which it is. */
  async during(name: string, isFrozen: boolean, work: (isStill: boolean) => void): Promise<void> {
    this.#demandAlive(name)
    if (this.#of(name) !== 'running') return work(true)
    if (!isFrozen) return work(false)
    const { process } = this.#cluster.member(name)
    await suspend(process)
    work(true)
    process.signal('SIGCONT')
  }

  /** SIGTERM; it must end well. */
  async stop(name: string): Promise<void> {
    this.#demandAlive(name)
    if (this.#of(name) === 'down') return
    this.#state.set(name, 'down')
    const { process } = this.#cluster.member(name)
    const code = await process.stop()
    // Node was still loading the program, which had not begun.
    const isUnborn = code === 'SIGTERM' && process.output.length === this.#saidBefore.get(name)
    if (code !== 0 && !isUnborn) throw new Error(`${name} ended with ${code} on SIGTERM`)
  }

  async kill(name: string): Promise<void> {
    this.#demandAlive(name)
    this.#state.set(name, 'down')
    await this.#cluster.member(name).process.kill()
  }

  async suspend(name: string): Promise<void> {
    this.#demandAlive(name)
    if (this.#of(name) !== 'running') return
    this.#state.set(name, 'suspended')
    await suspend(this.#cluster.member(name).process)
  }

  async run(name: string): Promise<void> {
    this.#demandAlive(name)
    const { process } = this.#cluster.member(name)
    if (this.#of(name) === 'down') {
      this.#saidBefore.set(name, process.output.length)
      process.start()
    } else process.signal('SIGCONT')
    this.#state.set(name, 'running')
  }

  /** All run, and say that they are in sync; and it is true. */
  async untilAllInSync(): Promise<void> {
    const { members } = this.#cluster
    for (const { name } of members) await this.run(name)
    await untilAtRest(this.#cluster)
    for (const { name } of members) this.#demandAlive(name)
  }

  #of(name: string): 'running' | 'suspended' | 'down' {
    return this.#state.get(name) ?? 'down'
  }

  #demandAlive(name: string): void {
    const isRunning = this.#cluster.member(name).process.isRunning
    if (isRunning === (this.#of(name) !== 'down')) return
    throw new Error(`${name} ended by itself`)
  }
}

/** What went wrong, in words. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
