import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { errorText, Lives } from './lives.ts'
import { Random } from '../support/random.ts'
import { drawSteps } from './draw.ts'
import { LinkedCluster, type Shape } from './linked-cluster.ts'
import { complaintsOf } from './oracle.ts'
import { Record, type Snapshots } from './record.ts'
import { takeSnapshot, valueOf } from './snapshot.ts'
import { describeStep, type Step } from './steps.ts'
import { User } from './user.ts'

/** Moments of rest in one history. */
const chapters = 4

/** Files that nobody touches; without them a few deletes could leave a volume empty, and be held back (rule 19). */
const bystanders = 15

/** One history of real processes, drawn from the seed. Throws with steps and logs when it does not end as it must; gives how much happened. */
export async function runHistory(seed: number): Promise<{ readonly steps: number }> {
  const random = new Random(seed)
  const all = ['alpha', 'beta', 'gamma', 'delta']
  const shape: Shape = {
    members: all.slice(0, 3 + random.below(2)),
    kind: random.pick(['mesh', 'chain']),
  }
  const linked = await LinkedCluster.make(shape, {
    SYND_DURABILITY: random.pick(['full', 'none']),
  })
  const said = [`${shape.kind} of ${shape.members.join(', ')}`]
  try {
    const history = new History({ linked, random, shape, said })
    return await history.run()
  } catch (error) {
    const kept = keepLogs(linked, said)
    throw new Error(
      [
        `FAULTS_SEED=${seed}: ${errorText(error)}`,
        'what happened:',
        ...said.map((line) => `  ${line}`),
        `logs: ${kept}`,
      ].join('\n'),
      { cause: error },
    )
  } finally {
    await linked.stop()
  }
}

class History {
  readonly #linked: LinkedCluster
  readonly #random: Random
  readonly #shape: Shape
  readonly #said: string[]
  readonly #record = new Record()
  readonly #lives: Lives
  readonly #users = new Map<string, User>()
  #number = 0

  constructor(parts: {
    readonly linked: LinkedCluster
    readonly random: Random
    readonly shape: Shape
    readonly said: string[]
  }) {
    this.#linked = parts.linked
    this.#random = parts.random
    this.#shape = parts.shape
    this.#said = parts.said
    this.#lives = new Lives(parts.linked.cluster)
    for (const { name, volume } of parts.linked.cluster.members) {
      const nextNumber = (): number => this.#number++
      this.#users.set(name, new User({ name, volume, record: this.#record, nextNumber }))
    }
  }

  async run(): Promise<{ readonly steps: number }> {
    let steps = 0
    this.#prepare()
    let before = await this.#rest()
    for (let chapter = 0; chapter < chapters; chapter++) {
      this.#begin(before)
      const drawn = drawSteps(this.#random, {
        members: this.#shape.members,
        links: this.#linked.linkCount,
      })
      for (const step of drawn) {
        this.#said.push(describeStep(step))
        await this.#take(step)
      }
      steps += drawn.length
      const now = await this.#rest()
      const complaints = complaintsOf(this.#record, before, now)
      if (complaints.length > 0) throw new Error(['not as it must be:', ...complaints].join('\n  '))
      before = now
    }
    return { steps }
  }

  #prepare(): void {
    const [first = ''] = this.#shape.members
    const user = this.#users.get(first)
    user?.do({ kind: 'mkdir', path: 'd0' }, { isStill: true })
    user?.do({ kind: 'burst', directory: 'untouched', count: bystanders }, { isStill: true })
  }

  #begin(before: Snapshots): void {
    const values = new Map<string, string>()
    for (const [path, { shown }] of [...before.values()][0] ?? []) {
      const value = valueOf(shown)
      if (value !== null) values.set(value, path)
    }
    this.#record.begin(values)
  }

  async #take(step: Step): Promise<void> {
    switch (step.kind) {
      case 'deeds':
        return this.#lives.during(step.member, step.isFrozen, (isStill) => {
          for (const deed of step.deeds) this.#users.get(step.member)?.do(deed, { isStill })
        })
      case 'stop':
        return this.#lives.stop(step.member)
      case 'kill':
        return this.#lives.kill(step.member)
      case 'suspend':
        return this.#lives.suspend(step.member)
      case 'run':
        return this.#lives.run(step.member)
      case 'cut':
        return this.#linked.cut(step.link)
      case 'heal':
        return this.#linked.heal(step.link)
      case 'rest':
        await delay(step.ms)
    }
  }

  /** Everybody runs and hears everybody; all say that they are in sync. */
  async #rest(): Promise<Snapshots> {
    this.#said.push('rest until all are in sync')
    this.#linked.healAll()
    await this.#lives.untilAllInSync()
    const snapshots = this.#linked.cluster.members.map(
      ({ name, volume }) => [name, takeSnapshot(volume)] as const,
    )
    return new Map(snapshots)
  }
}

function keepLogs({ cluster }: LinkedCluster, said: readonly string[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'synd-faults-'))
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'steps'), `${said.join('\n')}\n`)
  for (const { name, process } of cluster.members)
    writeFileSync(join(directory, `${name}.log`), process.output)
  return directory
}
