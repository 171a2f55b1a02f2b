import type { Beginnings } from './beginnings.ts'
import type { EngineParts } from './engine-parts.ts'
import { HaltLog } from './halt-log.ts'
import type { Peers } from './links/peers.ts'
import type { Telling } from './links/telling.ts'
import { reportPeerProblems } from './peer-problems.ts'
import type { ProblemList } from './problem-list.ts'
import type { DirtyPaths } from './publish/dirty-paths.ts'
import type { Publisher } from './publish/publisher.ts'
import { Watching } from './publish/watching.ts'
import type { Inbox } from './pull/inbox.ts'
import type { DirectoryTimes } from './pull/directory-times.ts'
import type { OwnWork } from './pull/own-work.ts'
import type { Puller } from './pull/puller.ts'
import type { State } from './state.ts'
import type { Wake } from './wake.ts'

/** The state is looked at when something happened, and at least this often. */
const tickMs = 1_000

/** Somebody may change files all the time: after so long pulling begins all the same. */
const longestLookMs = 10_000
const lookMs = 50

export interface LoopsParts extends Pick<
  EngineParts,
  'volume' | 'watcher' | 'clock' | 'chance' | 'observer' | 'settings'
> {
  readonly dirty: DirtyPaths
  readonly inbox: Inbox
  readonly publisher: Publisher
  readonly puller: Puller
  readonly beginnings: Beginnings
  readonly ownWork: OwnWork
  readonly times: DirectoryTimes
  readonly peers: Peers
  readonly problems: ProblemList
  readonly state: State
  readonly telling: Telling
  /** Something happened. */
  readonly changed: Wake
}

/** All that goes on in an engine until the signal aborts. */
export async function runLoops(parts: LoopsParts, signal: AbortSignal): Promise<void> {
  const watching = new Watching({ ...parts, scanIntervalMs: parts.settings.scanIntervalMs })
  await Promise.all([
    watching.run(signal),
    parts.publisher.run(signal),
    pullAfterFirstScan(parts, signal),
    tick(parts, signal),
  ])
}

async function pullAfterFirstScan(
  { publisher, puller, beginnings, clock }: LoopsParts,
  signal: AbortSignal,
): Promise<void> {
  await publisher.firstScan(signal)
  const deadlineMs = clock.monotonicMs() + longestLookMs
  while (!signal.aborted && !beginnings.isSeenThrough && clock.monotonicMs() < deadlineMs)
    await clock.sleep(lookMs, signal)
  if (!signal.aborted) await puller.run(signal)
}

/** Whenever something happened: what follows from the state of the whole. */
async function tick(parts: LoopsParts, signal: AbortSignal): Promise<void> {
  const { clock, volume, observer, beginnings, ownWork, times, state, telling, changed } = parts
  const haltLog = new HaltLog({ observer })
  while (!signal.aborted) {
    await beginnings.end()
    ownWork.forgetOld(clock.monotonicMs())
    reportPeerProblems(parts)
    const halt = volume.halt()
    haltLog.note(halt)
    if (halt === null) times.set()
    state.note()
    telling.tell()
    await changed.wait(clock, tickMs, signal)
  }
}
