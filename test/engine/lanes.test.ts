import { afterEach, expect, test } from 'vitest'
import { LoneEngine } from './lone-engine.ts'
import { toldFile } from './played-peer.ts'

let synd: LoneEngine
afterEach(async () => {
  await synd.stop()
})

const large = 'large '.repeat(200_000)

test('small files are pulled in batches, large ones alone, and these never hold up those', async () => {
  synd = await LoneEngine.start()
  const { transfer } = synd
  const b = synd.peer('b')
  b.connect()
  await synd.pass(3_000)
  for (const name of ['large 1', 'large 2', 'large 3']) {
    transfer.endless.add(name)
    b.announce(toldFile(name, `${name} ${large}`))
  }
  b.announce(...Array.from({ length: 300 }, (_, n) => toldFile(`small ${n}`, `small ${n}`)))
  await synd.pass(1_000)
  expect(synd.tree.filter((line) => line.startsWith('small'))).toHaveLength(300)
  // Two large ones at a time.
  const alone = transfer.begun.filter((paths) => paths.some((path) => path.startsWith('large')))
  expect(alone).toEqual([['large 1'], ['large 2']])
  expect(transfer.begun.length - alone.length).toBeLessThanOrEqual(12)
  for (const paths of transfer.begun) expect(paths.length).toBeLessThanOrEqual(64)

  // What comes while they are under way passes them too.
  b.announce(toldFile('late', 'late'))
  await synd.pass(1_000)
  expect(synd.tree.join()).toContain('late')
})
