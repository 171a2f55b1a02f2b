import { setTimeout as delay } from 'node:timers/promises'

/** Long enough for a slow, busy machine; a test that waits so long has failed. */
const usualDeadlineMs = 50_000

/** Resolves when `check` gives null; what it gave last is the error. */
export async function until(
  check: () => Promise<string | null> | string | null,
  { deadlineMs = usualDeadlineMs, everyMs = 50 }: { deadlineMs?: number; everyMs?: number } = {},
): Promise<void> {
  const endMs = performance.now() + deadlineMs
  for (;;) {
    const complaint = await attempt(check)
    if (complaint === null) return
    if (performance.now() > endMs)
      throw new Error(`not within ${deadlineMs / 1000} s: ${complaint}`)
    await delay(everyMs)
  }
}

/** A tree may change while it is read: that is a reason to look again. */
async function attempt(
  check: () => Promise<string | null> | string | null,
): Promise<string | null> {
  try {
    return await check()
  } catch (error) {
    return String(error)
  }
}
