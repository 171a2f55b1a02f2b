import { afterEach, expect, test } from 'vitest'
import { Cluster, type Listing } from './cluster.ts'
import { until } from './wait.ts'

/** Peers that do not all list each other: what one changes reaches the others through those between. */

let cluster: Cluster

afterEach(async () => cluster.stop())

async function inSync(name: string): Promise<boolean | undefined> {
  return (await cluster.member(name).process.status())?.inSync
}

/** Each as its neighbours in a row. */
function neighboursIn(names: readonly string[], { isClosed }: { isClosed: boolean }): Listing {
  const far = isClosed ? names.length - 1 : 1
  return (from, to, port) => {
    const distance = Math.abs(names.indexOf(from) - names.indexOf(to))
    return distance === 1 || distance === far ? port : null
  }
}

test('in a chain of four a change at either end reaches all, also past one that was stopped meanwhile', async () => {
  const names = ['one', 'two', 'three', 'four']
  cluster = await Cluster.make(names, { listing: neighboursIn(names, { isClosed: false }) })
  await cluster.start()
  const [one, two, four] = [cluster.member('one'), cluster.member('two'), cluster.member('four')]
  one.hands.mkdir('d')
  one.hands.write('d/of-one', 'one')
  four.hands.write('of-four', 'four')
  await cluster.untilInSync()
  expect(four.hands.read('d/of-one')).toBe('one')

  expect(await two.process.stop()).toBe(0)
  one.hands.write('d/of-one', 'one again')
  one.hands.remove('of-four')
  four.hands.write('both', 'four')
  await until(() => cluster.difference('four', ['three']))
  expect(one.hands.read('both')).toBeNull()
  await until(async () => ((await inSync('one')) === false ? null : 'one says it is in sync'))
  await until(async () => ((await inSync('three')) === false ? null : 'three says it is in sync'))
  // As of its own peers, and it knows of no other.
  await until(async () => ((await inSync('four')) === true ? null : 'four waits for somebody'))
  two.process.start()
  await cluster.untilInSync()
  expect(four.hands.read('d/of-one')).toBe('one again')
  expect(four.hands.read('of-four')).toBeNull()
  expect(one.hands.read('both')).toBe('four')
})

test('in a star what two at the rim change apart from each other is settled once, through the middle', async () => {
  const rim = ['north', 'east', 'south']
  cluster = await Cluster.make(['middle', ...rim], {
    listing: (from, to, port) => (from === 'middle' || to === 'middle' ? port : null),
  })
  await cluster.start()
  const [middle, north, east] = [
    cluster.member('middle'),
    cluster.member('north'),
    cluster.member('east'),
  ]
  north.hands.write('shared', 'base')
  await cluster.untilInSync()
  expect(await middle.process.stop()).toBe(0)
  north.hands.write('shared', 'of north')
  east.hands.write('shared', 'of east')
  middle.process.start()
  await cluster.untilInSync()
  for (const { hands, process } of cluster.members) {
    const contents = [...hands.tree().values()].map((shown) => shown.slice('f 644 '.length))
    expect(contents.toSorted()).toEqual(['of east', 'of north'])
    expect((await process.status())?.conflicts).toHaveLength(1)
  }
})

test('in a ring of five a change goes the other way round where one is killed', async () => {
  const names = ['a', 'b', 'c', 'd', 'e']
  cluster = await Cluster.make(names, { listing: neighboursIn(names, { isClosed: true }) })
  await cluster.start()
  for (const { name, hands } of cluster.members) hands.write(`of-${name}`, name)
  await cluster.untilInSync()
  const [a, b, c] = [cluster.member('a'), cluster.member('b'), cluster.member('c')]
  await b.process.kill()
  a.hands.write('past', 'a')
  c.hands.remove('of-a')
  await until(() => cluster.difference('c', ['a', 'd', 'e']))
  await until(() => (a.hands.read('of-a') === null ? null : 'the delete is not there yet'))
  expect(c.hands.read('past')).toBe('a')
  await until(async () => ((await inSync('a')) === false ? null : 'a says it is in sync'))
  await until(async () => ((await inSync('e')) === true ? null : 'e waits for somebody'))
  b.process.start()
  await cluster.untilInSync()
  expect(b.hands.read('past')).toBe('a')
})
