import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A process that commits one generation after the other (committing-process.ts). */
export interface Committing {
  /** Resolves when so many commits have returned. */
  committed(count: number): Promise<void>
  /** SIGKILL: nothing in the process runs any more. */
  kill(): void
  /** The last generation whose commit had returned, once the process is gone; 0 for none. */
  readonly exited: Promise<number>
}

export function startCommitting(
  path: string,
  { dieAt = 'none' }: { readonly dieAt?: 'none' | 'peer-id' | 'hold' } = {},
): Committing {
  const script = fileURLToPath(new URL('./committing-process.ts', import.meta.url))
  const child = spawn(process.execPath, [script, path, dieAt], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let lines: string[] = []
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop() ?? ''
    lines = [...lines, ...parts]
  })
  const closed = once(child, 'close')
  return {
    committed: async (count) => {
      while (lines.length < count) await Promise.race([once(child.stdout, 'data'), failOnClose()])
    },
    kill: () => void child.kill('SIGKILL'),
    exited: closed.then(() => Number(lines.at(-1) ?? 0)),
  }

  async function failOnClose(): Promise<void> {
    await closed
    throw new Error('the committing process ended by itself')
  }
}
