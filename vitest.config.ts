import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/deploy/**', 'test/bench/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Most tests wait for other processes: one at a time would take twice as long on two cores.
    maxWorkers: Math.max(2, availableParallelism()),
    execArgv: ['--expose-gc'],
  },
})
