import { once } from 'node:events'
import { createServer } from 'node:net'

/** Loopback ports that nobody uses at the moment; all different. */
export async function findFreePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  try {
    const ports: number[] = []
    for (const server of servers) {
      if (!server.listening) await once(server, 'listening')
      const address = server.address()
      if (address !== null && typeof address === 'object') ports.push(address.port)
    }
    return ports
  } finally {
    for (const server of servers) server.close()
  }
}
