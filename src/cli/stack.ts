/** What was opened, to be closed in the opposite order; a second close does nothing. */
export class Stack {
  readonly #closers: (() => void | Promise<void>)[] = []

  push(close: () => void | Promise<void>): void {
    this.#closers.push(close)
  }

  /** Closes all, also when one of them fails; throws the first failure then. */
  async close(): Promise<void> {
    const failures: unknown[] = []
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      try {
        await close()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}
