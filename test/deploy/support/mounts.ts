import { readFileSync } from 'node:fs'
import { run } from './command.ts'

/** Unmounts everything that an engine left mounted below `directory`, the latest first. */
export async function unmountBelow(directory: string): Promise<void> {
  for (const line of readFileSync('/proc/self/mounts', 'utf8').split('\n').toReversed()) {
    const target = line.split(' ')[1]
    if (target?.startsWith(`${directory}/`)) await run('umount', [target])
  }
}
