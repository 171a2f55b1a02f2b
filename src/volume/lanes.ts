/** Syncs that run at once: more than libuv has threads, so that none of these sleeps in between and has to be woken. */
const maxLanes = 64

/** Does the work for each item, several at once; all are tried. Rejects with what the first of them failed with. */
export async function inLanes<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
  { lanes = maxLanes }: { readonly lanes?: number } = {},
): Promise<void> {
  const waiting = items.values()
  const failures: unknown[] = []
  const lane = async (): Promise<void> => {
    for (const item of waiting) await work(item).catch((error: unknown) => failures.push(error))
  }
  await Promise.all(Array.from({ length: Math.min(lanes, items.length) }, lane))
  if (failures.length > 0) throw failures[0]
}
