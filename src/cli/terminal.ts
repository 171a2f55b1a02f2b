/** Where a command writes; each call is one line. */
export interface Terminal {
  /** What was asked for. */
  print(line: string): void
  /** What is said besides. */
  complain(line: string): void
}

/** stdout and stderr of this process. */
export function openTerminal(): Terminal {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: Error & { code?: string }) => {
      // `synd status | head -1`: nobody reads on, which is no failure.
      if (error.code !== 'EPIPE') throw error
    })
  return {
    print: (line) => void process.stdout.write(`${line}\n`),
    complain: (line) => void process.stderr.write(`${line}\n`),
  }
}
