import type { History, Step } from './history.ts'

/** A history with fewer steps that still fails, by leaving out ever smaller stretches of them; `tries` bounds the work. */
export async function shrink(
  history: History,
  fails: (history: History) => Promise<boolean>,
  tries = 600,
): Promise<History> {
  let shortest = history
  let left = tries
  const isWorse = async (candidate: History): Promise<boolean> => {
    if (left-- <= 0) return false
    if (!(await fails(candidate))) return false
    shortest = candidate
    return true
  }
  await leaveOut(() => shortest, isWorse)
  await dropPeers(() => shortest, isWorse)
  await waitRounder(() => shortest, isWorse)
  await leaveOut(() => shortest, isWorse)
  return shortest
}

type Attempt = (candidate: History) => Promise<boolean>

async function leaveOut(current: () => History, attempt: Attempt): Promise<void> {
  for (let size = Math.ceil(current().steps.length / 2); size >= 1;) {
    let isShorter = false
    for (let from = 0; from < current().steps.length;) {
      const steps = current().steps.toSpliced(from, size)
      if (await attempt({ ...current(), steps })) isShorter = true
      else from += size
    }
    if (size === 1 && !isShorter) return
    if (size > 1) size = Math.floor(size / 2)
  }
}

/** The last peers, where nothing happens on them. */
async function dropPeers(current: () => History, attempt: Attempt): Promise<void> {
  while (current().peers > 2) {
    const peers = current().peers - 1
    const steps = current().steps.filter(({ peer }) => peer < peers)
    if (!(await attempt({ ...current(), peers, steps }))) return
  }
}

async function waitRounder(current: () => History, attempt: Attempt): Promise<void> {
  for (let index = 0; index < current().steps.length; index++) {
    const step = current().steps[index]
    if (step === undefined || step.thenMs === 0) continue
    const shorter: Step = { ...step, thenMs: 0 }
    await attempt({ ...current(), steps: current().steps.with(index, shorter) })
  }
}
