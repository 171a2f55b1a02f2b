import type { Terminal } from '../../src/cli/terminal.ts'

/** A terminal that remembers its lines. */
export interface RecordedTerminal extends Terminal {
  readonly printed: string[]
  readonly complained: string[]
}

export function recordedTerminal(): RecordedTerminal {
  const printed: string[] = []
  const complained: string[] = []
  return {
    printed,
    complained,
    print: (line) => void printed.push(line),
    complain: (line) => void complained.push(line),
  }
}
