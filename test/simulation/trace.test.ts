import { expect, test } from 'vitest'
import { traced, Trace } from './trace.ts'

/** The hash of two runs that differ in nothing but this. */
function digestOf({
  items = ['a', 'b'],
  read = 'x',
  nowMs = 1,
  taken = 2,
}: { items?: string[]; read?: string; nowMs?: number; taken?: number } = {}): string {
  const trace = new Trace({ nowMs: () => nowMs, isOfPorts: true })
  const shipped = {
    *all(): Iterable<{ name: string }> {
      for (const name of items) yield { name }
    },
    open: () => ({ read: () => read }),
  }
  const port = traced('port', shipped, trace)
  let left = taken
  for (const _ of port.all()) if (--left === 0) break
  port.open().read()
  return trace.digest()
}

test('two runs that did the same have one hash', () => {
  expect(digestOf()).toBe(digestOf())
})

test.each([
  ['what an iterator gave', { items: ['a', 'c'] }],
  ['how much of it was taken', { taken: 1 }],
  ['what an open file gave', { read: 'y' }],
  ['when it was', { nowMs: 2 }],
])('two runs are told apart by %s', (_, other) => {
  expect(digestOf(other)).not.toBe(digestOf())
})
