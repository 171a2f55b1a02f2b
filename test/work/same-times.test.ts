import { execFileSync } from 'node:child_process'
import { readFileSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Cluster } from '../e2e/cluster.ts'
import { until } from '../e2e/wait.ts'
import { patientMs, untilAtRest } from './at-rest.ts'

let cluster: Cluster

afterEach(async () => cluster.stop(), patientMs)

/** Each gives the file that content, of the same length as before, and leaves its size and mtime as they were. */
const ways: ReadonlyMap<string, (file: string, content: string) => void> = new Map([
  [
    'written over, with its time set back by touch -r',
    (file, content) => {
      const reference = `${file}.reference`
      execFileSync('cp', ['-p', file, reference])
      writeFileSync(file, content)
      execFileSync('touch', ['-r', reference, file])
      execFileSync('rm', [reference])
    },
  ],
  [
    'written over, with its time set back to the second that it had',
    (file, content) => {
      const { mtimeMs } = statSync(file)
      writeFileSync(file, content)
      utimesSync(file, mtimeMs / 1000, mtimeMs / 1000)
    },
  ],
  [
    'replaced by another file of the same size and time',
    (file, content) => {
      const { mtimeMs } = statSync(file)
      writeFileSync(`${file}.new`, content)
      utimesSync(`${file}.new`, mtimeMs / 1000, mtimeMs / 1000)
      renameSync(`${file}.new`, file)
    },
  ],
])

/** Of whole seconds: what `utimes` sets is what was there. */
const time = 1_700_000_000

test(
  'other content with the same size and the same mtime is found, while it is watched and after a stop',
  { timeout: 2 * patientMs },
  async () => {
    cluster = await Cluster.make(['alpha', 'beta'])
    await cluster.start()
    const alpha = cluster.member('alpha')
    const there = cluster.member('beta').volume
    const files = [...ways.keys()].map((_, n) => `file-${n}`)
    for (const name of files) {
      writeFileSync(join(alpha.volume, name), 'a'.repeat(5_000))
      utimesSync(join(alpha.volume, name), time, time)
    }
    await untilAtRest(cluster)
    const change = (letter: string): void => {
      for (const [n, way] of [...ways.values()].entries()) {
        const file = join(alpha.volume, `file-${n}`)
        const before = statSync(file, { bigint: true })
        way(file, letter.repeat(5_000))
        const after = statSync(file, { bigint: true })
        expect([after.size, after.mtimeNs]).toEqual([before.size, before.mtimeNs])
      }
    }
    const untilArrived = (letter: string): Promise<void> =>
      until(
        () => {
          const letters = files.map((name) => readFileSync(join(there, name), 'utf8').charAt(0))
          return letters.every((one) => one === letter) ? null : letters.join(' ')
        },
        { deadlineMs: patientMs },
      )
    for (const letter of 'bcd') {
      change(letter)
      await untilArrived(letter)
    }
    await untilAtRest(cluster)
    await alpha.process.stop()
    change('e')
    alpha.process.start()
    await untilArrived('e')
    await untilAtRest(cluster)
    for (const name of files)
      expect(statSync(join(there, name), { bigint: true }).mtimeNs / 1000n).toBe(
        BigInt(time) * 1_000_000n,
      )
  },
)
