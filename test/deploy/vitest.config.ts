import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

const here = import.meta.dirname

/**
 * What an operator gets, on the real engines: `npm run test:deploy`. Apart from `npm test` because it builds an image
 * and starts Docker, Podman and Prometheus. `-- --project static` runs what needs none of them.
 */
export default defineConfig({
  root: join(here, '..', '..'),
  test: {
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 1_800_000,
    projects: [
      {
        extends: true,
        test: { name: 'static', include: ['test/deploy/static/**/*.test.ts'] },
      },
      {
        extends: true,
        test: {
          name: 'real',
          include: ['test/deploy/real/**/*.test.ts'],
          globalSetup: [join(here, 'support', 'global-setup.ts')],
        },
      },
    ],
  },
})
