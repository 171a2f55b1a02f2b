import { goOn } from '../scp-message.ts'

/** What a sink says to a record: go on, leave this file out, stop. */
export type Answer = 'go-on' | 'skip' | 'stop'

/** The sink's answers in order. They may come long before they are needed: only their number is kept. */
export interface Answers {
  /** False when the sink talks nonsense or keeps far more in store than any command can use. */
  add(bytes: Buffer): boolean
  take(): Answer | null
}

/** Three answers a file and one at the start make 769 at most. */
const maxRuns = 1000
const maxLineBytes = 8192
const newline = 0x0a

export function createAnswers(): Answers {
  const runs: { answer: Answer; count: number }[] = []
  let lineBytes: number | null = null

  function add(bytes: Buffer): boolean {
    let at = 0
    while (at < bytes.length) {
      if (lineBytes !== null) {
        const end = bytes.indexOf(newline, at)
        lineBytes += (end < 0 ? bytes.length : end) - at
        if (lineBytes > maxLineBytes) return false
        if (end < 0) return true
        lineBytes = null
        at = end + 1
      } else if (bytes[at] === goOn) {
        at++
        push('go-on')
      } else if (bytes[at] === 1 || bytes[at] === 2) {
        push(bytes[at] === 1 ? 'skip' : 'stop')
        lineBytes = 0
        at++
      } else return false
    }
    return runs.length <= maxRuns
  }

  function push(answer: Answer): void {
    const last = runs.at(-1)
    if (last?.answer === answer) last.count++
    else runs.push({ answer, count: 1 })
  }

  function take(): Answer | null {
    const first = runs[0]
    if (first === undefined) return null
    first.count--
    if (first.count === 0) runs.shift()
    return first.answer
  }

  return { add, take }
}
