import { readdirSync, readFileSync } from 'node:fs'
import type { SidecarProcess } from '../e2e/sidecar-process.ts'
import { until } from '../e2e/wait.ts'

/** SIGSTOP; resolves when all threads stand still: the kernel lets a system call end first. */
export async function suspend(process: SidecarProcess): Promise<void> {
  process.signal('SIGSTOP')
  const { pid } = process
  await until(() => (isStill(pid) ? null : 'some of its threads still run'), { everyMs: 1 })
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the state is the field after the name, which ends with the last `)`. */
function isStill(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).every((thread) => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1')
    return stat.charAt(stat.lastIndexOf(')') + 2) === 'T'
  })
}
