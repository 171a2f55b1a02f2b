/** A queue that one side fills and the other iterates. */
export class Channel<Item> implements AsyncIterable<Item> {
  readonly #items: Item[] = []
  #isEnded = false
  #wake: (() => void) | null = null

  push(item: Item): void {
    if (this.#isEnded) return
    this.#items.push(item)
    this.#wake?.()
  }

  /** The iteration ends after what was pushed before. */
  end(): void {
    this.#isEnded = true
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Item> {
    for (;;) {
      const item = this.#items.shift()
      if (item !== undefined) yield item
      else if (this.#isEnded) return
      else await this.#more()
    }
  }

  async #more(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#wake = null
  }
}
