import { neighboursOf, type History, type Step } from './one-path-history.ts'

/** A shorter history that still fails, by leaving out ever smaller stretches of steps. */
export function shrink(history: History, fails: (history: History) => boolean): History {
  let shortest = history
  for (let size = Math.ceil(history.steps.length / 2); size >= 1;) {
    const shorter = withoutSome(shortest, size, fails)
    if (shorter === null) size = size === 1 ? 0 : Math.ceil(size / 2)
    else shortest = shorter
  }
  return shortest
}

function withoutSome(
  history: History,
  size: number,
  fails: (history: History) => boolean,
): History | null {
  for (let from = 0; from < history.steps.length; from += size) {
    const steps = history.steps.toSpliced(from, size)
    if (fails({ ...history, steps })) return { ...history, steps }
  }
  return null
}

/** A history to read aloud. */
export function script(history: History): string {
  const { seed, peers, topology, order, isSparing, keepsModes, clockSkewMs } = history
  const links = Array.from({ length: peers }, (_, i) => i).flatMap((from) =>
    neighboursOf(from, history)
      .filter((to) => to > from)
      .map((to) => `${letter(from)}-${letter(to)}`),
  )
  return [
    `seed ${seed}: ${peers} peers, ${topology} ${links.join(' ')}, ${order}${isSparing ? ', sparing' : ''}`,
    `clocks ${clockSkewMs.join(' ')} ms off, modes kept: ${keepsModes.map((keeps) => (keeps ? 'yes' : 'no')).join(' ')}`,
    ...history.steps.map((step) => `  ${line(step)}`),
    '  everything is delivered',
  ].join('\n')
}

function line(step: Step): string {
  switch (step.do) {
    case 'write': {
      const { kind, content, mode, mtime } = step
      return `${letter(step.peer)} writes ${kind} ${content} at ${place(step.path)} (mode ${mode.toString(8)}, mtime ${mtime} s)`
    }
    case 'delete':
      return `${letter(step.peer)} deletes ${place(step.path)}`
    case 'chmod':
      return `${letter(step.peer)} sets mode ${step.mode.toString(8)} of ${place(step.path)}`
    case 'touch':
      return `${letter(step.peer)} sets mtime ${step.mtime} s of ${place(step.path)}`
    case 'announce':
      return `${letter(step.from)} tells ${letter(step.to)} at most ${step.limit} entries`
    case 'deliver':
      return `${letter(step.to)} hears ${letter(step.from)} (message ${step.pick}${step.twice ? ', stays on its way' : ''}), ${step.isApplied ? 'applies it' : 'records it'}`
    case 'apply':
      return `${letter(step.peer)} applies what ${letter(step.from)} told of path ${step.path}${step.dies ? ', dies before the commit, starts and scans' : ''}`
    case 'fetch':
      return `${letter(step.peer)} fetches what ${letter(step.from)} told of path ${step.path}`
    case 'reconnect':
      return `the link from ${letter(step.from)} to ${letter(step.to)} breaks and comes back`
  }
}

function letter(peer: number): string {
  return 'ABCDE'.charAt(peer)
}

function place(pick: number): string {
  return pick === 0 ? 'the path' : `copy ${pick}`
}
