import { expect, test } from 'vitest'
import { HaltLog } from '../../src/engine/halt-log.ts'
import type { Observer } from '../../src/engine/ports.ts'

test('a halt and its end are each told once', () => {
  const told: string[] = []
  const nothing = (): void => {}
  const observer: Observer = {
    log: (level, message) => told.push(`${level} ${message}`),
    notified: nothing,
    pulled: nothing,
    transferFailed: nothing,
    propagated: nothing,
    conflicted: nothing,
    rejected: nothing,
    scanned: nothing,
    watchEvents: nothing,
    watchOverflowed: nothing,
    watchDegraded: nothing,
  }
  const log = new HaltLog({ observer })
  const gone = { code: 'volume-missing', message: 'the volume is gone' } as const
  for (const halt of [null, gone, gone, null, null, gone]) log.note(halt)
  const halted = 'error halted: nothing is announced or applied'
  expect(told).toEqual([halted, 'info the volume is back: going on', halted])
})
