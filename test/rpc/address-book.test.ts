import { afterEach, expect, test } from 'vitest'
import { AddressBook, type Lookup, type PeerAddress } from '../../src/rpc/address-book.ts'
import { VirtualClock, VirtualTime } from '../support/virtual-clock.ts'

const host: PeerAddress = { kind: 'host', host: 'host-b', port: 50051, address: 'host-b:50051' }
const name: PeerAddress = { kind: 'dns', name: 'peers.example', port: 4000 }

const time = new VirtualTime()
const opened: AddressBook[] = []
afterEach(async () => {
  for (const book of opened.splice(0)) await book.stop()
})

async function open(peers: readonly PeerAddress[], lookup: Lookup) {
  const told: { addresses: readonly string[]; unresolved: readonly string[] }[] = []
  const book = new AddressBook({
    peers,
    lookup,
    clock: new VirtualClock({ time }),
    changed: (dialled, unresolved) =>
      told.push({ addresses: dialled.map(({ address }) => address), unresolved }),
  })
  opened.push(book)
  const start = book.start()
  await time.pass(3000)
  await start
  return { book, told }
}

test('a name is every address it has, written as one dials them', async () => {
  const { told } = await open([host, name], async () => ['10.0.0.2', '::1', '10.0.0.1', '::1'])
  expect(told).toEqual([
    { addresses: ['host-b:50051', '10.0.0.1:4000', '10.0.0.2:4000', '[::1]:4000'], unresolved: [] },
  ])
})

test('a name without addresses is told as such, and looked up until it has some', async () => {
  let found: readonly string[] = []
  const { told } = await open([name], async () => found)
  expect(told).toEqual([{ addresses: [], unresolved: ['dns:peers.example:4000'] }])
  found = ['10.0.0.1']
  await time.pass(10_000)
  expect(told.slice(1)).toEqual([{ addresses: ['10.0.0.1:4000'], unresolved: [] }])
})

test('changes are told, and nothing else', async () => {
  let found = ['10.0.0.1']
  const { told } = await open([name], async () => found)
  await time.pass(60_000)
  expect(told).toHaveLength(1)
  found = ['10.0.0.3', '10.0.0.1']
  await time.pass(10_000)
  expect(told[1]?.addresses).toEqual(['10.0.0.1:4000', '10.0.0.3:4000'])
})

test('a look-up that fails or finds nothing keeps what was known', async () => {
  let answer: Lookup = async () => ['10.0.0.1']
  const { told } = await open([name], (name) => answer(name))
  answer = async () => {
    throw new Error('SERVFAIL')
  }
  await time.pass(30_000)
  answer = async () => []
  await time.pass(30_000)
  expect(told).toEqual([{ addresses: ['10.0.0.1:4000'], unresolved: [] }])
})

test('a look-up that hangs keeps nobody waiting for more than three seconds', async () => {
  let asked = 0
  const other: PeerAddress = { kind: 'dns', name: 'fine.example', port: 1 }
  const { told } = await open([host, name, other], (asking) => {
    if (asking === 'fine.example') return Promise.resolve(['10.0.0.9'])
    asked++
    return new Promise(() => {})
  })
  expect(told).toEqual([
    { addresses: ['host-b:50051', '10.0.0.9:1'], unresolved: ['dns:peers.example:4000'] },
  ])
  await time.pass(60_000)
  expect(asked).toBe(1)
})

test('what is ourselves is left out until the name changes, a host for ten minutes', async () => {
  let found = ['10.0.0.1', '10.0.0.2']
  const { book, told } = await open([host, name], async () => found)
  book.drop('10.0.0.1:4000')
  book.drop('host-b:50051')
  await time.pass(10_000)
  expect(told.at(-1)?.addresses).toEqual(['10.0.0.2:4000'])
  found = ['10.0.0.1', '10.0.0.3']
  await time.pass(10_000)
  expect(told.at(-1)?.addresses).toEqual(['10.0.0.1:4000', '10.0.0.3:4000'])
  await time.pass(600_000)
  expect(told.at(-1)?.addresses).toEqual(['host-b:50051', '10.0.0.1:4000', '10.0.0.3:4000'])
})

test('no name is looked up more often than every ten seconds, whatever comes of it and whoever drops an address', async () => {
  const askedMs: number[] = []
  const answers: (() => Promise<readonly string[]>)[] = [
    async () => ['10.0.0.1'],
    async () => [],
    async () => {
      throw new Error('SERVFAIL')
    },
    async () => [`10.0.1.${askedMs.length}`],
    () => new Promise((resolve) => void time.after(4000, () => resolve(['10.0.0.2']))),
  ]
  const { book } = await open([name, { ...name, port: 4001 }], () => {
    askedMs.push(time.nowMs)
    return answers[askedMs.length % answers.length]?.() ?? Promise.resolve([])
  })
  for (let second = 0; second < 600; second++) {
    book.drop(`10.0.0.1:400${second % 2}`)
    await time.pass(1000)
  }
  expect(askedMs.length).toBeGreaterThan(30)
  const pausesMs = askedMs.slice(1).map((ms, index) => ms - (askedMs[index] ?? 0))
  expect(Math.min(...pausesMs)).toBeGreaterThanOrEqual(10_000)
})

test('localhost is found by the system', async () => {
  const told: string[][] = []
  const book = new AddressBook({
    peers: [{ kind: 'dns', name: 'localhost', port: 7 }],
    clock: new VirtualClock({ time }),
    changed: (dialled) => told.push(dialled.map(({ address }) => address)),
  })
  opened.push(book)
  await book.start()
  expect(told[0]).toContain('127.0.0.1:7')
})
