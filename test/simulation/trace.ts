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
    const line = `${this.#nowMs()} ${text}\n`
    this.#hash.update(line)
    if (this.#file !== undefined) appendFileSync(this.#file, line)
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
        const call = `${name}.${String(property)}`
        const note = (result: unknown): void => trace.call(call, given, result)
        try {
          const result: unknown = Reflect.apply(member, target, given)
          if (!(result instanceof Promise)) {
            note(result)
            return tracedResult(call, result, trace)
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

/** What comes of it later belongs to the trace too: of what can be iterated only once the items, of an open file the calls. */
function tracedResult(call: string, result: unknown, trace: Trace): unknown {
  if (typeof result !== 'object' || result === null) return result
  if (isOnce(result)) return tracedItems(call, result, trace)
  const isOpen = Object.values(result).some((member) => typeof member === 'function')
  return isOpen ? traced(call, result, trace) : result
}

function* tracedItems(call: string, items: Iterable<unknown>, trace: Trace): Generator {
  for (const item of items) {
    trace.line(`${call} gives ${describeKept(item)}`)
    yield item
  }
  trace.line(`${call} ends`)
}

function isOnce(value: object): value is Iterable<unknown> {
  return 'next' in value && Symbol.iterator in value
}

/** Records of the store never change, and are iterated again and again. */
const described = new WeakMap<object, string>()

function describeKept(value: unknown): string {
  if (typeof value !== 'object' || value === null) return describe(value)
  const known = described.get(value) ?? describe(value)
  described.set(value, known)
  return known
}

/** A value in words; the same for equal values. What can be iterated only once is not looked into here. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'function') return 'function'
  if (typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) return `[${value.map(describe).join(' ')}]`
  if (value instanceof Map) {
    return `{${[...value].map(([key, inner]) => `${describe(key)}:${describe(inner)}`).join(' ')}}`
  }
  if (value instanceof Set) return describe([...value])
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('latin1')}"`
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (Symbol.iterator in value || Symbol.asyncIterator in value) return 'iterable'
  return `{${Object.entries(value)
    .map(([key, inner]) => `${key}:${describe(inner)}`)
    .join(' ')}}`
}
