import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { SyndError } from '../../core/errors.ts'
import type { Call } from '../commands.ts'
import { createNarrator } from './narrator.ts'
import { type DemoHost, DemoPeer, makeDemoHost } from './peer.ts'
import type { Pair } from './words.ts'
import { findFreePorts } from './free-ports.ts'
import type { Terminal } from '../terminal.ts'
import { readTree } from './tree.ts'

/** Two peers with nothing to sync are ready in a second or two; a slow machine may take longer. */
const startLimitMs = 90_000

/** `synd demo`: two real peers on this machine, told in words, until Ctrl-C. */
export async function demo({ words, terminal }: Call): Promise<number> {
  const [word] = words
  if (word !== undefined)
    throw new SyndError('bad-settings', `synd demo takes no ${JSON.stringify(word.slice(0, 120))}`)
  const directory = mkdtempSync(join(tmpdir(), 'synd-demo-'))
  const stop = new AbortController()
  const hurry = new AbortController()
  const interrupt = (): void => (stop.signal.aborted ? hurry.abort() : stop.abort())
  for (const signal of stopSignals) process.on(signal, interrupt)
  const hosts = await makeHosts(directory)
  const peers = [
    new DemoPeer({ host: hosts[0], other: hosts[1] }),
    new DemoPeer({ host: hosts[1], other: hosts[0] }),
  ]
  try {
    terminal.print('starting two peers …')
    for (const peer of peers) peer.start()
    await untilInSync(peers, stop.signal)
    if (!stop.signal.aborted) introduce(hosts, terminal)
    await narrate(hosts, { peers, terminal, signal: stop.signal })
    return 0
  } finally {
    terminal.print('stopping both peers …')
    await Promise.all(peers.map((peer) => peer.stop(hurry.signal)))
    rmSync(directory, { recursive: true, force: true })
    for (const signal of stopSignals) process.off(signal, interrupt)
    terminal.print('stopped; both folders are removed')
  }
}

const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

async function makeHosts(directory: string): Promise<Pair<DemoHost>> {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = await findFreePorts(6)
  return [
    makeDemoHost({
      name: 'A',
      directory: join(directory, 'a'),
      ports: { grpc: a, ssh: b, http: c },
    }),
    makeDemoHost({
      name: 'B',
      directory: join(directory, 'b'),
      ports: { grpc: d, ssh: e, http: f },
    }),
  ]
}

async function untilInSync(peers: readonly DemoPeer[], signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + startLimitMs
  while (!signal.aborted) {
    const answers = await Promise.all(peers.map((peer) => peer.isInSync()))
    if (answers.every((isInSync) => isInSync)) return
    if (performance.now() > deadlineMs)
      throw new SyndError('stalled', `the peers were not in sync after ${startLimitMs / 1000} s`)
    await pause(100, signal)
  }
}

function introduce([a, b]: Pair<DemoHost>, terminal: Terminal): void {
  const lines = [
    '',
    'Two peers run on this machine and keep two folders equal:',
    '',
    `  A  ${a.volume}   http://127.0.0.1:${a.ports.http}/status`,
    `  B  ${b.volume}   http://127.0.0.1:${b.ports.http}/status`,
    '',
    'Open another terminal and try for example:',
    '',
    `  echo hello > ${a.volume}/hello.txt`,
    `  cat ${b.volume}/hello.txt`,
    `  cp -r /etc/ssl ${b.volume}/`,
    `  mv ${a.volume}/ssl ${a.volume}/renamed`,
    `  echo one > ${a.volume}/both.txt & echo two > ${b.volume}/both.txt`,
    `  rm -r ${b.volume}/renamed`,
    '',
    `What happens is told here; the logs are ${a.directory}/synd.log and ${b.directory}/synd.log.`,
    'Ctrl-C stops both peers and removes everything.',
    '',
  ]
  for (const line of lines) terminal.print(line)
}

async function narrate(
  [a, b]: Pair<DemoHost>,
  {
    peers,
    terminal,
    signal,
  }: {
    readonly peers: readonly DemoPeer[]
    readonly terminal: Terminal
    readonly signal: AbortSignal
  },
): Promise<void> {
  const narrator = createNarrator([a.name, b.name], [readTree(a.volume), readTree(b.volume)])
  while (!signal.aborted) {
    const startMs = performance.now()
    for (const peer of peers) peer.demandRunning()
    const lines = narrator.look([readTree(a.volume), readTree(b.volume)], Date.now())
    for (const line of lines) terminal.print(`${new Date().toTimeString().slice(0, 8)}  ${line}`)
    // Looking takes at most a fifth of a core, however large the folders get.
    await pause(Math.max(20, 4 * (performance.now() - startMs)), signal)
  }
}

/** Waits, or until the signal aborts. */
async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(durationMs, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
