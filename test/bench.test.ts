import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cryptoKind } from '../src/transfer/algorithms.ts'
import { run } from './transfer/tools.ts'

/** What the bench needs and a laptop may lack. */
const canMeasure = cryptoKind() !== 'javascript' || process.env['CI'] === 'true'

test.skipIf(!canMeasure)(
  'the bench measures, and prints a line of JSON for each figure',
  { timeout: 300_000 },
  async () => {
    const name = 'new-file-1KiB'
    const words = ['run', 'bench', '--', '--quick', `--only=${name}`]
    const { code, stdout, stderr } = await run('npm', words, {
      cwd: join(import.meta.dirname, '..'),
    })
    expect([code, stderr]).toEqual([0, expect.stringContaining(`measuring ${name}`)])
    const figures = stdout.split('\n').filter((line) => line.startsWith('{'))
    expect(figures).toHaveLength(1)
    const above = expect.toSatisfy((value: unknown) => typeof value === 'number' && value > 0)
    expect(JSON.parse(figures[0] ?? '')).toEqual({
      name,
      unit: 'ms',
      median: above,
      p50: above,
      p95: above,
      runs: [above],
      command: `npm run bench -- --only=${name} --quick`,
    })
  },
)

test('a measure that there is not, and a flag that there is not, are said', async () => {
  const bench = join(import.meta.dirname, 'bench', 'main.ts')
  for (const [word, words] of [
    ['--only=nothing', /^no such measure; there are new-file-1KiB, /],
    ['--slow', /--slow[^]*npm run bench -- \[--only=<name>\]/],
  ] as const) {
    const { code, stdout, stderr } = await run(process.execPath, [bench, word])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(words)
  }
})
