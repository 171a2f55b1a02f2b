import type { History, Step } from './one-path-history.ts'

const [a, b, c, d] = [0, 1, 2, 3]

/**
 * Histories that once failed, each in its shortest form, named by what must come of them. The seed orders what is delivered after the last
 * step.
 */
export const foundHistories: Readonly<Record<string, History>> = {
  // The two 18 are one content; while they merged, the dot of the restored one was given up for the other's, which was the greater.
  'a file restored over a delete that saw only its older self stays': history(2, {
    clockSkewMs: [1651, 1],
    steps: [
      write(a, 18, { mtime: 9 }),
      tell(a, b),
      touch(a, 0),
      hear(a, b),
      tell(a, b),
      write(b, 8, { mtime: 6 }),
      remove(a),
      write(b, 18, { mtime: 0, mode: 0o600 }),
    ],
  }),
  // Each kept what it had removed itself, under equal vectors, for ever: a joining peer would be told one or the other (rule 9).
  'two deletes of two contents end as one tombstone': history(2, {
    seed: 4180,
    clockSkewMs: [3, 1282],
    steps: [
      write(a, 63, { mtime: 5 }),
      write(b, 65, { mtime: 8 }),
      remove(b),
      tell(b, a),
      remove(a),
    ],
  }),
  // The winner came with the mode that it had found; the later chmod was left to the conflict copy.
  'a mode set with all before the eyes stands in a conflict too': history(2, {
    steps: [
      write(a, 1),
      tell(a, b),
      hear(a, b),
      write(b, 11, { mtime: 8 }),
      write(a, 3, { mtime: 3, mode: 0o755 }),
    ],
  }),
  // Equal values under equal vectors, with another metadata dot on each way that they came.
  'a touch and two writes end with one metadata dot': history(3, {
    seed: 17,
    clockSkewMs: [1, 1, 3],
    steps: [
      write(c, 13, { mtime: 7 }),
      tell(c, a),
      hear(c, a),
      touch(c, 4),
      tell(a, b),
      hear(a, b),
      write(a, 41, { mtime: 9 }),
      write(b, 43, { mtime: 0 }),
      tell(c, b),
      tell(a, b),
    ],
  }),
  'two conflicts around a ring and a touch end with one metadata dot': history(4, {
    seed: 83,
    topology: 'ring',
    clockSkewMs: [3, 3, 636, 3],
    steps: [
      write(c, 1, { mtime: 2, mode: 0o600 }),
      write(d, 5, { mtime: 3, mode: 0o600 }),
      tell(d, a),
      hear(d, a),
      touch(c, 7),
      write(d, 18, { mtime: 4, mode: 0o600 }),
      touch(a, 2),
      tell(c, b),
      hear(c, b),
      remove(c),
    ],
  }),
}

function history(
  peers: number,
  rest: Pick<History, 'steps'> & Partial<Pick<History, 'seed' | 'clockSkewMs' | 'topology'>>,
): History {
  return {
    seed: 1,
    peers,
    topology: 'mesh',
    order: 'ordered',
    isSparing: true,
    keepsModes: [],
    clockSkewMs: [],
    ...rest,
  }
}

function write(peer: number, content: number, how: { mtime?: number; mode?: number } = {}): Step {
  const { mtime = 1, mode = 0o644 } = how
  return { do: 'write', peer, path: 0, kind: 'file', content, mode, mtime }
}

function remove(peer: number): Step {
  return { do: 'delete', peer, path: 0 }
}

function touch(peer: number, mtime: number): Step {
  return { do: 'touch', peer, path: 0, mtime }
}

function tell(from: number, to: number): Step {
  return { do: 'announce', from, to, limit: 9 }
}

function hear(from: number, to: number): Step {
  return { do: 'deliver', from, to, pick: 0, twice: false, isApplied: true }
}
