import { beforeEach, describe, expect, test } from 'vitest'
import type { Outcome } from '../../src/core/protocol.ts'
import { Delivery } from '../../src/engine/links/deliveries.ts'

const applied: Outcome = { kind: 'applied' }
const notWanted: Outcome = { kind: 'not-wanted' }
const failed: Outcome = { kind: 'failed', code: 'disk-full' }
const refused: Outcome = { kind: 'refused', code: 'bad-path' }

let delivery: Delivery
let propagated: number[]

/** 1 to 5 are on their way: seen at 100, 200, …, committed a moment later; 5 was relayed. */
beforeEach(() => {
  propagated = []
  delivery = new Delivery({ onApplied: (seenMs) => propagated.push(seenMs) })
  for (let sequence = 1; sequence <= 4; sequence++)
    delivery.add(sequence, { seenMs: 100 * sequence, sinceMs: 100 * sequence + 5 })
  delivery.add(5, { seenMs: null, sinceMs: 505 })
})

describe('rule 17: an acknowledgement', () => {
  test.each([
    ['applied', { from: 2, to: 3, outcome: applied }, 3, 0, [200, 300], 900],
    ['not wanted', { from: 2, to: 3, outcome: notWanted }, 3, 0, [], null],
    ['failed', { from: 2, to: 3, outcome: failed }, 5, 2, [], null],
    ['refused', { from: 2, to: 2, outcome: refused }, 5, 1, [], null],
    ['of what was relayed', { from: 5, to: 5, outcome: applied }, 4, 0, [], 900],
    ['of what was never announced', { from: 6, to: 9, outcome: applied }, 5, 0, [], null],
    ['of nothing', { from: 3, to: 2, outcome: applied }, 5, 0, [], null],
  ])('%s', (_title, range, pending, failures, seen, lastAppliedMs) => {
    delivery.acknowledge(range, 900)
    expect(delivery.pending).toBe(pending)
    expect(delivery.failed).toBe(failures)
    expect(propagated).toEqual(seen)
    expect(delivery.lastAppliedMs).toBe(lastAppliedMs)
  })

  test('of all numbers that there are takes no longer than of those that wait', () => {
    delivery.acknowledge({ from: 1, to: Number.MAX_SAFE_INTEGER, outcome: applied }, 900)
    expect(delivery.pending).toBe(0)
  })

  test('twice counts once', () => {
    delivery.acknowledge({ from: 1, to: 1, outcome: applied }, 900)
    delivery.acknowledge({ from: 1, to: 1, outcome: applied }, 950)
    expect(propagated).toEqual([100])
    expect(delivery.lastAppliedMs).toBe(900)
  })

  test('a failure stays pending until it is applied after all', () => {
    delivery.acknowledge({ from: 1, to: 1, outcome: failed }, 900)
    delivery.acknowledge({ from: 1, to: 1, outcome: applied }, 950)
    expect([delivery.pending, delivery.failed]).toEqual([4, 0])
  })
})

describe('rule 17: what is pending', () => {
  test('ends when the path moves to another sequence, failed or not', () => {
    delivery.acknowledge({ from: 1, to: 1, outcome: failed }, 900)
    delivery.drop(1)
    delivery.drop(2)
    expect([delivery.pending, delivery.failed]).toEqual([3, 0])
    delivery.acknowledge({ from: 1, to: 2, outcome: applied }, 950)
    expect(propagated).toEqual([])
  })

  test('is as old as the oldest commit among it', () => {
    expect(delivery.oldestPendingMs).toBe(105)
    delivery.acknowledge({ from: 1, to: 1, outcome: applied }, 900)
    expect(delivery.oldestPendingMs).toBe(205)
    delivery.acknowledge({ from: 1, to: 5, outcome: notWanted }, 900)
    expect(delivery.oldestPendingMs).toBeNull()
  })
})
