import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** USER_HZ: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

/** Resident memory of a process (proc(5), VmRSS). */
export function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  return Number(kilobytes) / 1024
}

/** How much of one core a process uses while nothing is asked of it, in per cent. */
export async function idlePercent(pid: number, durationMs: number): Promise<number> {
  const [beginTicks, beginMs] = [cpuTicks(pid), performance.now()]
  await delay(durationMs)
  const seconds = (performance.now() - beginMs) / 1000
  return (100 * (cpuTicks(pid) - beginTicks)) / ticksPerSecond / seconds
}

/** utime and stime of all threads (proc(5), stat, fields 14 and 15). */
function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}
