/** Runs tasks one after the other: the engine's single writer (src/README.md, The picture, 3). A task that throws does not stop the next. */
export class Serial {
  #tail: Promise<unknown> = Promise.resolve()

  run<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.#tail.then(task)
    this.#tail = result.catch(() => undefined)
    return result
  }
}
