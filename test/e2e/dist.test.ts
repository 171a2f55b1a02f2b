import { afterEach, expect, test } from 'vitest'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { buildProgram } from './built-program.ts'
import { Cluster } from './cluster.ts'

const { path: program, remove } = temporaryDirectory()
let cluster: Cluster | null = null

afterEach(async () => {
  await cluster?.stop()
  remove()
})

test('what `npm run build` makes syncs without the sources, as in the image', async () => {
  const command = buildProgram(program)
  cluster = await Cluster.make(['alpha', 'beta'], {
    commandOf: () => command,
  })
  await cluster.start()
  cluster.member('alpha').hands.write('from-dist', 'x'.repeat(5_000_000))
  await cluster.untilLike('alpha')
  await cluster.untilInSync()
  expect(cluster.member('beta').hands.read('from-dist')).toHaveLength(5_000_000)
}, 120_000)
