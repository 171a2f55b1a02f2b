import { expect, test } from 'vitest'
import { Serial } from '../../src/engine/serial.ts'
import { VirtualClock, VirtualTime } from '../support/virtual-clock.ts'

test('tasks run one after the other, in the order in which they came', async () => {
  const time = new VirtualTime()
  const clock = new VirtualClock({ time })
  const serial = new Serial()
  const steps: string[] = []
  const runs = [30, 10, 20].map((delayMs, task) =>
    serial.run(async () => {
      steps.push(`begin ${task}`)
      await clock.sleep(delayMs)
      steps.push(`end ${task}`)
      return task
    }),
  )
  await time.pass(100)
  expect(await Promise.all(runs)).toEqual([0, 1, 2])
  expect(steps).toEqual(['begin 0', 'end 0', 'begin 1', 'end 1', 'begin 2', 'end 2'])
})

test('a task that fails tells whoever asked for it, and nobody else', async () => {
  const serial = new Serial()
  const failing = serial.run(() => Promise.reject(new Error('no')))
  const next = serial.run(async () => 'next')
  await expect(failing).rejects.toThrow('no')
  expect(await next).toBe('next')
  expect(await serial.run(async () => 'later')).toBe('later')
})
