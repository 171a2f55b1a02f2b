import type { Socket } from 'node:net'

/** Packets of file contents; for what is smaller it is not worth it. */
const largeBytes = 16 * 1024

/**
 * Gives the memory of large packets back as soon as they are written. ssh2 takes new memory for each, outside of V8's heap; left to the collector,
 * every 20 MB of a file cost a collection of everything. Nobody looks at a packet again that was handed to the socket.
 */
export function freeWritten(socket: Socket): void {
  const write = socket.write.bind(socket)
  socket.write = (data: Uint8Array | string, ...rest: readonly unknown[]): boolean => {
    const memory = typeof data === 'string' || rest.length > 0 ? null : ownMemory(data)
    if (memory === null) return Reflect.apply(write, socket, [data, ...rest])
    return write(data, () => void memory.transfer(0))
  }
}

/** The memory that the bytes have for themselves. */
function ownMemory(bytes: Uint8Array): ArrayBuffer | null {
  const { buffer, byteLength } = bytes
  if (byteLength < largeBytes || buffer.byteLength !== byteLength) return null
  return buffer instanceof ArrayBuffer ? buffer : null
}
