import { setTimeout as delay } from 'node:timers/promises'

/** Nothing that is measured may take longer. */
const deadlineMs = 15 * 60_000

/** Looks every `everyMs` until it is so; resolves with the time by `performance.now()`. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  everyMs = 20,
): Promise<number> {
  const endMs = performance.now() + deadlineMs
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`not within ${deadlineMs / 60_000} min: ${what}`)
    await delay(everyMs)
  }
  return performance.now()
}
