import { afterEach, expect, test } from 'vitest'
import { SyndError } from '../../src/core/errors.ts'
import { LoneEngine } from './lone-engine.ts'
import { toldFile } from './played-peer.ts'

let synd: LoneEngine
afterEach(async () => {
  await synd.stop()
})

const stalled = new SyndError('stalled', 'sent nothing for 30 s', { retryable: true })
const untrusted = new SyndError('untrusted', 'its host key is another one')

async function withPeers(...letters: string[]): Promise<LoneEngine> {
  synd = await LoneEngine.start({ peers: letters })
  for (const letter of letters) synd.peer(letter).connect()
  await synd.pass(3_000)
  return synd
}

const problems = (): string[] =>
  synd.status.problems.map(({ code, message }) => `${code} ${message}`)

test('what stalls at one peer is pulled at once from another that announced the same version', async () => {
  const { transfer } = await withPeers('b', 'c')
  transfer.broken.set('b', stalled)
  synd.peer('b').announce(toldFile('file', 'content'))
  synd.peer('c').announce(toldFile('file', 'content'))
  await synd.pass(100)
  expect(transfer.pulls).toEqual(['file from c'])
  expect(synd.tree.join()).toContain('file: ')
})

test('who failed is asked after the others for a while, and then as before', async () => {
  const { transfer } = await withPeers('b', 'c')
  transfer.broken.set('b', stalled)
  synd.peer('b').announce(toldFile('0', 'content 0'))
  await synd.pass(100)
  for (const [name, letter] of [
    ['1', 'c'],
    ['2', 'c'],
  ] as const) {
    await synd.pass(5_000)
    synd.peer('b').announce(toldFile(name, `content ${name}`))
    synd.peer('c').announce(toldFile(name, `content ${name}`))
    await synd.pass(5_000)
    expect(transfer.pulls).toContain(`${name} from ${letter}`)
  }
  transfer.broken.delete('b')
  await synd.pass(60_000)
  expect(transfer.pulls).toContain('0 from b')
})

test('a source that fails is asked less and less, however many files wait for it', async () => {
  const { transfer } = await withPeers('b')
  transfer.broken.set('b', untrusted)
  const files = Array.from({ length: 1_000 }, (_, n) => toldFile(`${n}`, `content ${n}`))
  synd.peer('b').announce(...files)
  await synd.pass(600_000)
  // Twice a minute once it is at its slowest, give or take, and a few lanes at the same time.
  expect(transfer.begun.length).toBeLessThan(100)
  transfer.broken.delete('b')
  await synd.pass(40_000)
  expect(synd.tree).toHaveLength(1_000)
})

test('the status says of which peer and why nothing can be pulled, until something can', async () => {
  const { transfer, observer } = await withPeers('b')
  transfer.broken.set('b', untrusted)
  synd.peer('b').announce(toldFile('file', 'content'))
  await synd.pass(120_000)
  expect(problems()).toEqual([
    'source-failed nothing can be pulled from host b (b): its host key is another one',
  ])
  const told = observer.lines.filter((line) => line === 'warn: pull failed')
  expect(told).toHaveLength(1)
  transfer.broken.delete('b')
  await synd.pass(60_000)
  expect(problems()).toEqual([])
})

test('a source that was mended is asked at once, however long it was to rest', async () => {
  const { transfer } = await withPeers('b')
  transfer.broken.set('b', untrusted)
  synd.peer('b').announce(toldFile('file', 'content'))
  await synd.pass(600_000)
  transfer.broken.delete('b')
  transfer.trustChanged()
  await synd.pass(100)
  expect(synd.tree).toHaveLength(1)
})

test('a hiccup of a source is no problem once nothing waits for it', async () => {
  const { transfer } = await withPeers('b', 'c')
  transfer.broken.set('b', stalled)
  synd.peer('b').announce(toldFile('file', 'content'))
  await synd.pass(5_000)
  expect(problems().join()).toContain('sent nothing for 30 s')
  synd.peer('c').announce(toldFile('file', 'content'))
  await synd.pass(5_000)
  expect(problems()).toEqual([])
})
