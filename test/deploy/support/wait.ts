import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Asks until the answer is neither false, null nor undefined, and gives it. Fails with what the last attempt threw or
 * `describe` says once `timeoutMs` are over: a limit for hopeless cases, generous because the machine may be busy.
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | false | null | undefined> | T | false | null | undefined,
  options: { timeoutMs?: number; everyMs?: number; describe?: () => Promise<string> } = {},
): Promise<T> {
  const deadline = performance.now() + (options.timeoutMs ?? 120_000)
  let lastError: unknown
  for (;;) {
    try {
      const answer = await ask()
      if (answer !== false && answer !== null && answer !== undefined) return answer
      lastError = undefined
    } catch (error) {
      lastError = error
    }
    if (performance.now() > deadline) break
    await sleep(options.everyMs ?? 250)
  }
  const details = options.describe === undefined ? '' : `\n${await options.describe()}`
  throw new Error(`waited in vain until ${what}${details}`, { cause: lastError })
}
