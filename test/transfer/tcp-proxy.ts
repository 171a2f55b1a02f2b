import { connect, createServer, type Socket } from 'node:net'

/** A TCP proxy that counts connections, delays what passes and can cut everything. */
export async function tcpProxy(port: number, options: { readonly delayMs?: number } = {}) {
  const sockets = new Set<Socket>()
  let connections = 0
  let turns = 0
  let lastSpoke: Socket | null = null
  let isFrozen = false
  const server = createServer((near) => {
    connections++
    const far = connect({ host: '127.0.0.1', port, noDelay: true })
    near.setNoDelay(true)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('data', (chunk) => {
        if (from === near && lastSpoke !== near) turns++
        lastSpoke = from
        if (!isFrozen) later(options.delayMs ?? 0, () => to.write(chunk))
      })
      from.on('end', () => later(options.delayMs ?? 0, () => to.end()))
      from.on('error', () => to.destroy())
      from.on('close', () => sockets.delete(from))
    }
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    connections: () => connections,
    /** How often the client spoke after the server: a round trip each, at most. */
    turns: () => turns,
    /** Sockets that are open on either side. */
    open: () => sockets.size,
    /** What arrives from now on is lost, and nobody is told. */
    freeze: () => {
      isFrozen = true
    },
    /** New connections work again; bytes that were lost stay lost. */
    thaw: () => {
      isFrozen = false
    },
    cut: () => {
      for (const socket of sockets) socket.destroy()
    },
    stop: async () => {
      const closed = new Promise((resolve) => {
        server.close(resolve)
      })
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

function later(delayMs: number, run: () => void): void {
  if (delayMs === 0) run()
  else setTimeout(run, delayMs)
}
