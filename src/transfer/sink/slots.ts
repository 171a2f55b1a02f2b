/** How many channels of a connection may be in use at once; the others wait. */
export interface Slots {
  /** Waits for a free one; at once when the signal is aborted or all is over, and then nothing is taken. */
  take(signal: AbortSignal): Promise<'taken' | 'aborted' | 'over'>
  /** Gives one back whose channel is closed. */
  free(): void
  /** Gives one back whose channel the other side refused to open: what is in use now has to do. */
  refuse(): Refused
  inUse(): number
  /** Nothing is waited for any more. */
  close(): void
}

/** `later`: take one again; `never`: it never opened any; `lost`: those that were closed are not free again after a long time. */
export type Refused = 'later' | 'never' | 'lost'

/** So many channels are closed without a refusal in between before one more at once is tried. */
const closedBeforeMore = 8
/** sshd frees a session only some time after it closed the channel: nobody asks for one for so long, and twice as long each time. */
const firstRestMs = 10
const lastRestMs = 1000
/** Six seconds of rests, and it had that many turns to free a session. */
const maxRefusals = 12

export function createSlots(count: number): Slots {
  const waiting: (() => void)[] = []
  const state = { limit: count, used: 0, closed: 0, hasClosed: false, refusals: 0, isOver: false }
  let rest: NodeJS.Timeout | null = null

  const hasRoom = (): boolean => state.used < state.limit && rest === null

  function wakeAll(): void {
    for (const wake of waiting.splice(0)) wake()
  }

  function restFor(delayMs: number): void {
    rest = setTimeout(() => {
      rest = null
      wakeAll()
    }, delayMs)
  }

  return {
    take: async (signal) => {
      while (!state.isOver && !signal.aborted && !hasRoom()) {
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
      state.hasClosed = true
      state.refusals = 0
      state.closed++
      if (state.closed >= closedBeforeMore) {
        state.closed = 0
        state.limit = Math.min(state.limit + 1, count)
      }
      wakeAll()
    },
    refuse: () => {
      state.used--
      state.closed = 0
      state.limit = Math.max(state.used, 1)
      if (state.used > 0 || state.isOver) return 'later'
      if (!state.hasClosed) {
        wakeAll()
        return 'never'
      }
      state.refusals++
      restFor(Math.min(firstRestMs * 2 ** (state.refusals - 1), lastRestMs))
      return state.refusals > maxRefusals ? 'lost' : 'later'
    },
    inUse: () => state.used,
    close: () => {
      state.isOver = true
      if (rest !== null) clearTimeout(rest)
      wakeAll()
    },
  }
}
