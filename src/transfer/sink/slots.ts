/** How many channels of a connection may be in use at once; the others wait. */
export interface Slots {
  /** Waits for a free one; at once when the signal is aborted or all is over, and then nothing is taken. */
  take(signal: AbortSignal): Promise<'taken' | 'aborted' | 'over'>
  free(): void
  inUse(): number
  /** There are no more than are in use now: false when none is. */
  shrink(): boolean
  /** Nothing is waited for any more. */
  close(): void
}

export function createSlots(count: number): Slots {
  const waiting: (() => void)[] = []
  const state = { limit: count, used: 0, isOver: false }

  function wakeAll(): void {
    for (const wake of waiting.splice(0)) wake()
  }

  return {
    take: async (signal) => {
      while (!state.isOver && !signal.aborted && state.used >= state.limit) {
        const { promise, resolve } = Promise.withResolvers<void>()
        const wake = (): void => resolve()
        waiting.push(wake)
        signal.addEventListener('abort', wake, { once: true })
        await promise
        signal.removeEventListener('abort', wake)
      }
      if (state.isOver) return 'over'
      if (signal.aborted) return 'aborted'
      state.used++
      return 'taken'
    },
    free: () => {
      state.used--
      wakeAll()
    },
    inUse: () => state.used,
    shrink: () => {
      if (state.used > 0) state.limit = state.used
      return state.used > 0
    },
    close: () => {
      state.isOver = true
      wakeAll()
    },
  }
}
