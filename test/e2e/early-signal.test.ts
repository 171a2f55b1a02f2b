import { afterEach, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import { runCommand } from './sidecar-process.ts'

let cluster: Cluster

afterEach(async () => cluster.stop())

/** Before the program: sends SIGTERM as soon as somebody listens for it, and says when. */
const preload = `
  import { writeSync } from 'node:fs'
  process.on('newListener', (name) => {
    if (name !== 'SIGTERM') return
    queueMicrotask(() => {
      writeSync(1, 'SIGTERM is sent\\n')
      process.kill(process.pid, 'SIGTERM')
    })
  })
`

test('SIGTERM while the program is still being loaded ends it with 0', async () => {
  const [node = '', ...words] = runCommand
  cluster = await Cluster.make(['alpha'], {
    commandOf: () => [
      node,
      '--import',
      `data:text/javascript,${encodeURIComponent(preload)}`,
      ...words,
    ],
  })
  const { process } = cluster.member('alpha')
  process.start()
  expect(await process.exited()).toBe(0)
  const [first = '', second = ''] = process.output.split('\n')
  expect(first).toBe('SIGTERM is sent')
  expect(second).toContain('"msg":"synd"')
})
