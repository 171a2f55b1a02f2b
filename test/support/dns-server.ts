import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'

/** What a name has: IPv4 addresses, none; or nobody can tell, or nobody knows it. */
export type DnsAnswer = readonly string[] | 'server-failure' | 'no-such-name'

const addressType = 1
const codes = { 'server-failure': 2, 'no-such-name': 3 } as const

/** A DNS server (RFC 1035) on UDP port 53 of an address of this machine; it answers the same for every name. */
export class DnsServer {
  readonly host: string
  readonly #socket: Socket = createSocket('udp4')
  answer: DnsAnswer = 'no-such-name'
  /** Names whose IPv4 addresses were asked for, one a question. */
  readonly asked: string[] = []

  constructor(host: string) {
    this.host = host
    this.#socket.on('message', (query, from) => this.#reply(query, from))
  }

  async start(): Promise<void> {
    const listening = once(this.#socket, 'listening')
    this.#socket.bind(53, this.host)
    await listening
  }

  async stop(): Promise<void> {
    const closed = once(this.#socket, 'close')
    this.#socket.close()
    await closed
  }

  /** One question a query, as resolvers ask. */
  #reply(query: Buffer, from: RemoteInfo): void {
    const labels: string[] = []
    let at = 12
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length))
      at += 1 + length
    }
    const question = query.subarray(12, at + 5)
    const isForAddress = query.readUInt16BE(at + 1) === addressType
    if (isForAddress) this.asked.push(labels.join('.').toLowerCase())
    const { answer } = this
    const isFailure = typeof answer === 'string'
    const addresses = isFailure || !isForAddress ? [] : answer
    const header = Buffer.alloc(12)
    query.copy(header, 0, 0, 2)
    // An answer, recursion available, and what came of it.
    header.writeUInt16BE(0x8180 | (isFailure ? codes[answer] : 0), 2)
    header.writeUInt16BE(1, 4)
    header.writeUInt16BE(addresses.length, 6)
    this.#socket.send(
      Buffer.concat([header, question, ...addresses.map(recordOf)]),
      from.port,
      from.address,
    )
  }
}

/** The name of the question, type A, class IN, not to be kept, four bytes. */
function recordOf(address: string): Buffer {
  const record = Buffer.from([0xc0, 12, 0, addressType, 0, 1, 0, 0, 0, 0, 0, 4])
  return Buffer.concat([record, Buffer.from(address.split('.').map(Number))])
}
