import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createCrowd } from '../../src/transfer/source/crowd.ts'
import { check } from '../core/property.ts'

interface Guest {
  readonly name: string
  readonly isExpendable: boolean
}
const guest = (name: string, isExpendable = true): Guest => ({ name, isExpendable })

function crowd(otherwise: 'oldest' | 'newest') {
  return createCrowd<Guest>({
    max: 6,
    maxPerGroup: 4,
    isExpendable: ({ isExpendable }) => isExpendable,
    otherwise,
  })
}

test('a group over its limit loses its oldest expendable guest', () => {
  const guests = crowd('oldest')
  const busy = guest('busy', false)
  const idle = guest('idle')
  for (const one of [busy, idle, guest('c'), guest('d')]) expect(guests.enter(one, 'x')).toBe(null)
  expect(guests.enter(guest('e'), 'x')).toBe(idle)
})

test('over the limit of all, the largest group loses, not the newcomer from elsewhere', () => {
  const guests = crowd('oldest')
  const first = guest('first')
  for (const one of [first, guest('b'), guest('c'), guest('d')]) guests.enter(one, 'flood')
  guests.enter(guest('e'), 'other')
  guests.enter(guest('f'), 'another')
  expect(guests.enter(guest('honest'), 'honest')).toBe(first)
})

test('when nobody is expendable the rule decides between oldest and newest', () => {
  for (const otherwise of ['oldest', 'newest'] as const) {
    const guests = crowd(otherwise)
    const all = ['a', 'b', 'c', 'd', 'e'].map((name) => guest(name, false))
    const leavers = all.map((one) => guests.enter(one, 'x'))
    expect(leavers.at(-1)).toBe(otherwise === 'oldest' ? all[0] : all[4])
  }
})

test('never holds more than its limits when leavers leave', () => {
  check(
    fc.property(fc.array(fc.tuple(fc.nat(4), fc.boolean(), fc.boolean())), (steps) => {
      const guests = crowd('oldest')
      const inside = new Map<Guest, string>()
      for (const [group, isExpendable, leaves] of steps) {
        const [someone] = inside.keys()
        if (leaves && someone !== undefined) {
          guests.leave(someone)
          inside.delete(someone)
          continue
        }
        const one = guest('g', isExpendable)
        inside.set(one, `g${group}`)
        const leaver = guests.enter(one, `g${group}`)
        if (leaver !== null) {
          expect(inside.has(leaver)).toBe(true)
          guests.leave(leaver)
          inside.delete(leaver)
        }
        const groups = [...inside.values()]
        expect(groups.length).toBeLessThanOrEqual(6)
        for (const name of groups)
          expect(groups.filter((other) => other === name).length).toBeLessThanOrEqual(4)
      }
    }),
  )
})
