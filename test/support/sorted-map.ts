/** A map whose keys are iterated in their order, whatever the order of insertion; for keys of one char a byte that is byte order. */
export class SortedMap<Key extends string, Value> {
  readonly #values: Map<Key, Value>
  readonly #keys: Key[]

  constructor(entries: { keys: Key[]; values: Map<Key, Value> } = { keys: [], values: new Map() }) {
    this.#keys = entries.keys
    this.#values = entries.values
  }

  copy(): SortedMap<Key, Value> {
    return new SortedMap({ keys: [...this.#keys], values: new Map(this.#values) })
  }

  get(key: Key): Value | undefined {
    return this.#values.get(key)
  }

  set(key: Key, value: Value): void {
    if (!this.#values.has(key)) this.#keys.splice(this.#indexFrom(key), 0, key)
    this.#values.set(key, value)
  }

  delete(key: Key): void {
    if (this.#values.delete(key)) this.#keys.splice(this.#indexFrom(key), 1)
  }

  /** The keys as they are now. */
  keys(): readonly Key[] {
    return [...this.#keys]
  }

  values(): Iterable<Value> {
    return this.valuesFrom('')
  }

  /** Not to be changed meanwhile. */
  *valuesFrom(from: string): Generator<Value> {
    for (let index = this.#indexFrom(from); index < this.#keys.length; index++) {
      const key = this.#keys[index]
      const value = key === undefined ? undefined : this.#values.get(key)
      if (value !== undefined) yield value
    }
  }

  /** The first key that is not before `from`. */
  firstFrom(from: string): Key | undefined {
    return this.#keys[this.#indexFrom(from)]
  }

  #indexFrom(from: string): number {
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#keys[middle] ?? '') < from) low = middle + 1
      else high = middle
    }
    return low
  }
}
