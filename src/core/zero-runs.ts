/** A part of some bytes: nothing but zeros, which a file can hold as a hole, or what must be written. */
export interface Run {
  readonly isHole: boolean
  readonly start: number
  readonly end: number
}

/** File systems keep nothing smaller apart. */
const blockBytes = 4096

/** A hole costs a call or two and an extent: fewer zeros are written. */
const leastHoleBytes = 32 * 1024

/** All of `bytes`, in order. A hole is made of whole blocks, and is large or everything there is. */
export function runsOf(bytes: Uint8Array): readonly Run[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const runs: Run[] = []
  let covered = 0
  for (let start = 0; start < bytes.length; start += blockBytes) {
    const end = endOfZeros(view, start)
    const isAll = end - start === bytes.length
    if (end - start < leastHoleBytes && !isAll) continue
    if (start > covered) runs.push({ isHole: false, start: covered, end: start })
    runs.push({ isHole: true, start, end })
    covered = end
    start = end - blockBytes
  }
  if (covered < bytes.length) runs.push({ isHole: false, start: covered, end: bytes.length })
  return runs
}

/** Where the blocks from `start` on that are all zeros end; `start` when the first is not. */
function endOfZeros(view: DataView, start: number): number {
  let end = start
  while (end < view.byteLength) {
    const next = Math.min(end + blockBytes, view.byteLength)
    if (!isZero(view, end, next)) break
    end = next
  }
  return end
}

function isZero(view: DataView, start: number, end: number): boolean {
  let at = start
  for (; at + 4 <= end; at += 4) if (view.getUint32(at) !== 0) return false
  for (; at < end; at++) if (view.getUint8(at) !== 0) return false
  return true
}
