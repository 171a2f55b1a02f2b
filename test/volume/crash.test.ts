import { describe, expect, test } from 'vitest'
import { checkRestart, hit, randomOf, restart, run } from '../support/crash-run.ts'
import {
  make,
  path,
  publish,
  remove,
  scenarios,
  writeOld,
  type Scenario,
} from '../support/crash-scenarios.ts'
import { diskEffects, type DiskCall } from '../support/memory-disk-attached.ts'
import { memoryHands } from '../support/memory-hands.ts'
import { directoryEntry, someMtimeUs, symlinkEntry } from '../support/volume-fixture.ts'

for (const scenario of scenarios) {
  describe(`rule 22: crashes around ${scenario.title}`, () => {
    test('kill -9 at every effect leaves the old or the new thing, and the next start tidies up', async () => {
      const { calls } = await run(scenario, null)
      expect(calls.length).toBeGreaterThan(0)
      for (let point = 0; point < calls.length; point++) {
        const { disk, ledger } = await run(scenario, point)
        disk.kill()
        await checkRestart(scenario, { disk, ledger })
      }
    })

    test('rule 23: power loss at every effect leaves the old or the new thing', async () => {
      const { calls } = await run(scenario, null)
      for (let point = 0; point < calls.length; point++) {
        for (let seed = 1; seed <= 12; seed++) {
          const { disk, ledger } = await run(scenario, point)
          disk.crash(randomOf(seed))
          await checkRestart(scenario, { disk, ledger })
        }
      }
    })

    test('a start that is killed at every effect is started again', async () => {
      const { calls } = await run(scenario, null)
      for (let point = 0; point < calls.length; point++) {
        const killed = await run(scenario, point)
        killed.disk.kill()
        for (let startPoint = 0; ; startPoint++) {
          const disk = killed.disk.clone()
          const isKilled = await restart(disk, killed.ledger, startPoint)
          disk.kill()
          await checkRestart(scenario, { disk, ledger: killed.ledger })
          if (!isKilled) break
        }
      }
    })

    test('rule 23: after the directories are synced a power loss takes nothing', async () => {
      for (let seed = 1; seed <= 40; seed++) {
        const { disk } = await run(scenario, null)
        disk.crash(randomOf(seed))
        const hands = memoryHands(disk)
        expect(hands.tree().get(path), `seed ${seed}`).toBe(scenario.now)
        if (scenario.now?.startsWith('f') === true && scenario.change !== remove)
          expect(disk.tree().get(path).mtimeNs / 1000n, `seed ${seed}`).toBe(BigInt(someMtimeUs))
      }
    })
  })
}

test('rule 22: an edit that lands in the last moment survives kill -9 at every effect after it', async () => {
  for (const change of [
    publish,
    remove,
    make(directoryEntry(path)),
    make(symlinkEntry(path, 'new')),
  ]) {
    const scenario: Scenario = {
      title: 'edited',
      before: writeOld,
      change,
      old: 'f 644 old edit',
      now: undefined,
    }
    // A symlink is put over a file as a file is: by one rename.
    const isLast = ({ operation, path: from, to }: DiskCall): boolean =>
      operation === 'rename' &&
      (to === path || (from === path && to?.startsWith('.synd/hold/') === true))
    const { calls } = await run(scenario, null, isLast)
    const first = calls.findIndex((call) => call.when === 'before' && isLast(call))
    expect(first).toBeGreaterThanOrEqual(0)
    for (let point = first; point < calls.length; point++) {
      const { disk, ledger } = await run(scenario, point, isLast)
      disk.kill()
      await restart(disk, ledger, null)
      const hands = memoryHands(disk)
      const places = [
        hands.read(path),
        ...ledger.holds().map(({ id }) => hands.read(`.synd/hold/${id}`)),
      ]
      expect(places, `point ${point}`).toContain('old edit')
    }
  }
})

test('every effect that a change has on the disk was a crash point, before and after', () => {
  // What is created, written and copied is in staging, before any change begins; other owners are a test of their own.
  const elsewhere: readonly string[] = ['create', 'write', 'copy', 'chown']
  const expected = diskEffects.filter((effect) => !elsewhere.includes(effect))
  for (const effect of expected) {
    expect([...hit]).toContain(`before ${effect}`)
    expect([...hit]).toContain(`after ${effect}`)
  }
})
