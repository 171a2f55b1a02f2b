import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Cluster } from '../e2e/cluster.ts'
import { until } from '../e2e/wait.ts'
import { Random } from '../support/random.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { selfDescribing, WholeFileReader, type ReadFault } from '../support/whole-files.ts'
import { patientMs, untilAtRest } from './at-rest.ts'
import { saversWith, type Saver } from './savers.ts'

/** A path that changes all the time is published less and less often: more rounds would mostly wait. */
const rounds = 8
const seed = Number(process.env['WORK_SEED'] ?? Math.floor(Math.random() * 2 ** 32))

/**
 * Whatever is on the disk for longer than a moment is a version: a name that is gone for 100 ms, a file that stays empty for 50. A machine
 * that lets a program stand still for so long in the middle of its save makes others see that.
 */
const slowSaveMs = 40

let cluster: Cluster
let reader: WholeFileReader | null = null
const drafts = temporaryDirectory()

afterEach(async () => {
  await reader?.terminate()
  await cluster.stop()
  drafts.remove()
}, patientMs)

test(
  `who reads what editors save on the other side misses no file and sees only whole versions (WORK_SEED=${seed})`,
  { timeout: 2 * patientMs },
  async () => {
    const random = new Random(seed)
    const savers = saversWith(join(drafts.path, 'draft'))
    const names = [...savers.keys()]
    cluster = await Cluster.make(['alpha', 'beta'])
    const here = join(cluster.member('alpha').volume, 'notes')
    const there = join(cluster.member('beta').volume, 'notes')
    mkdirSync(here)
    for (const name of names) writeFileSync(join(here, name), draft(random, 0), 'latin1')
    await cluster.start()
    reader = await WholeFileReader.start(there, names)
    const slow: SlowSave[] = []
    for (let round = 1; round <= rounds; round++) {
      const texts = new Map<string, string>()
      for (const [name, save] of savers) {
        // Some save twice in a row.
        for (let n = random.below(2); n >= 0; n--) {
          const text = draft(random, round)
          noteIfSlow(slow, { name, file: join(here, name), text, save })
          texts.set(name, text)
        }
      }
      await until(() => unlike(there, texts), { deadlineMs: patientMs, everyMs: 20 })
    }
    const { reads, versions, faults } = await reader.end()
    expect(faults.filter((fault) => !isExcused(fault, slow))).toEqual([])
    expect(versions).toBeGreaterThanOrEqual(rounds * names.length)
    expect(reads).toBeGreaterThan(versions)
    expect(slow.length).toBeLessThan((rounds * names.length) / 2)
    await untilAtRest(cluster)
    const left = cluster.member('beta').hands.tree('notes')
    expect([...left.keys()].filter((path) => /4913|\.sw.$|#|tmp/.test(path))).toEqual([])
    expect(left.has('notes/of-vim~') && left.has('notes/of-emacs~')).toBe(true)
  },
)

interface SlowSave {
  readonly name: string
  readonly startMs: number
}

/** Longer each round: what is written over in place never leaves the end of what was before. */
function draft(random: Random, round: number): string {
  const lines = 20 + 40 * round + random.below(40)
  return selfDescribing(Array.from({ length: lines }, () => `${random.id64()}\n`).join(''))
}

function noteIfSlow(
  slow: SlowSave[],
  { name, file, text, save }: { name: string; file: string; text: string; save: Saver },
): void {
  const startMs = Date.now()
  save(file, text)
  // How long a tool took of its time for the save itself does not show.
  const mostMs = toolsTake.has(name) ? slowToolMs : slowSaveMs
  if (Date.now() - startMs > mostMs) slow.push({ name, startMs })
  // Nobody else is to be waited for if it is not even here.
  if (readFileSync(file, 'latin1') !== text) throw new Error(`${name} was not saved`)
}

const toolsTake: ReadonlySet<string> = new Set(['of-vim', 'of-sed', 'of-rsync'])
const slowToolMs = 500

/** It is of a save that stood still, a moment ago. */
function isExcused({ name, atMs }: ReadFault, slow: readonly SlowSave[]): boolean {
  return slow.some(
    (save) => save.name === name && atMs >= save.startMs && atMs < save.startMs + 5_000,
  )
}

function unlike(directory: string, texts: ReadonlyMap<string, string>): string | null {
  for (const [name, text] of texts) {
    if (readFileSync(join(directory, name), 'latin1') !== text) return name
  }
  return null
}
