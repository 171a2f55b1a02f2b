import { createHash } from 'node:crypto'
import { appendFileSync } from 'node:fs'

/** What happens in a run, as one hash: two runs that did the same to the letter have the same. */
export class Trace {
  readonly #hash = createHash('sha256')
  readonly #nowMs: () => number
  readonly #file: string | undefined
  /** Also every call on a port, with arguments and result; without it only effects and what people did. */
  readonly isOfPorts: boolean

  constructor(parts: { nowMs: () => number; file?: string | undefined; isOfPorts: boolean }) {
    this.#nowMs = parts.nowMs
    this.#file = parts.file
    this.isOfPorts = parts.isOfPorts
  }

  line(text: string): void {
    this.#hash.update(text)
    if (this.#file !== undefined) appendFileSync(this.#file, `${this.#nowMs()} ${text}\n`)
  }

  /** One call on a port and what came of it. */
  call(port: string, given: unknown, result: unknown): void {
    if (this.isOfPorts) this.line(`${port} ${describe(given)} = ${describe(result)}`)
  }

  digest(): string {
    return this.#hash.digest('hex')
  }
}

/** The same object, with every call on it and its result in the trace. */
export function traced<Port extends object>(name: string, port: Port, trace: Trace): Port {
  if (!trace.isOfPorts) return port
  return new Proxy(port, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property)
      if (typeof member !== 'function') return member
      return (...given: unknown[]): unknown => {
        const note = (result: unknown): void =>
          trace.call(`${name}.${String(property)}`, given, result)
        try {
          const result: unknown = Reflect.apply(member, target, given)
          if (!(result instanceof Promise)) {
            note(result)
            return result
          }
          return result.then(
            (value: unknown) => {
              note(value)
              return value
            },
            (error: unknown) => {
              note(error)
              throw error
            },
          )
        } catch (error) {
          note(error)
          throw error
        }
      }
    },
  })
}

/** A value in words; the same for equal values. What can be iterated only once is not looked into. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'function') return 'function'
  if (typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) return `[${value.map(describe).join(' ')}]`
  if (value instanceof Map) {
    return `{${[...value].map(([key, inner]) => `${describe(key)}:${describe(inner)}`).join(' ')}}`
  }
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('latin1')}"`
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (Symbol.iterator in value || Symbol.asyncIterator in value) return 'iterable'
  return `{${Object.entries(value)
    .map(([key, inner]) => `${key}:${describe(inner)}`)
    .join(' ')}}`
}
