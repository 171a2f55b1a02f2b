import { spawnSync } from 'node:child_process'
import { beforeEach, describe, expect, test } from 'vitest'
import { problemCodes } from '../../src/core/problem.ts'
import type { Status } from '../../src/core/status.ts'
import { createMetrics, type Metrics } from '../../src/observe/metrics.ts'
import { negotiateFormat } from '../../src/observe/open-metrics.ts'
import { knownRejections } from '../../src/observe/reasons.ts'
import type { SinkRejection } from '../../src/transfer/pull.ts'
import type { SourceRejection } from '../../src/transfer/source/connection.ts'
import { samplePeer, sampleStatus } from './sample-status.ts'

let nowMs = 0
let metrics: Metrics
const logged: unknown[] = []

beforeEach(() => {
  nowMs = 1000
  logged.length = 0
  metrics = createMetrics({
    version: '1.2.3',
    peers: ['host-b:50051', '[fd00::2]:7'],
    rejections: { grpc: ['bad-path'] },
    watchCount: async () => 21,
    watchLimit: () => 8192,
    log: (...line) => logged.push(line),
    nowMs: () => nowMs,
  })
})

/** Every series as `name{sorted labels}` with its value. */
async function series(status: () => Status): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>()
  for (const line of (await metrics.render(status, 'prometheus')).split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const [, name = '', , labels = '', value = ''] =
      /^([a-z0-9_]+)(\{((?:[a-z_]+="(?:[^"\\]|\\.)*",?)*)\})? (\S+)$/i.exec(line) ?? []
    expect(name, line).not.toBe('')
    expect(Number(value === '+Inf' ? Infinity : value), line).not.toBeNaN()
    const sorted = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)]
      .map(([pair]) => pair)
      .sort()
    const key = `${name}{${sorted.join(',')}}`
    expect(found.has(key), `${key} once`).toBe(false)
    found.set(key, Number(value))
  }
  return found
}

const peers = ['host-b:50051', '[fd00::2]:7']

/** The contract's table: names with all the label sets that must be there before anything happened. */
const contract: readonly (readonly [string, readonly string[]])[] = [
  ['synd_build_info', [`node="${process.version}",version="1.2.3"`]],
  [
    'synd_volume_entries',
    ['kind="file"', 'kind="directory"', 'kind="symlink"', 'kind="tombstone"'],
  ],
  ['synd_volume_bytes', ['']],
  ['synd_volume_free_bytes', ['']],
  ['synd_volume_size_bytes', ['']],
  ['synd_volume_halted', ['']],
  ['synd_pending_changes', peers.map((peer) => `peer="${peer}"`)],
  ['synd_oldest_pending_timestamp_seconds', peers.map((peer) => `peer="${peer}"`)],
  ['synd_last_sync_timestamp_seconds', peers.map((peer) => `peer="${peer}"`)],
  ['synd_peer_up', peers.map((peer) => `peer="${peer}"`)],
  ['synd_propagation_seconds_count', peers.map((peer) => `peer="${peer}"`)],
  ['synd_propagation_seconds_sum', peers.map((peer) => `peer="${peer}"`)],
  ['synd_propagation_seconds_bucket', peers.map((peer) => `le="+Inf",peer="${peer}"`)],
  [
    'synd_notifications_total',
    peers.flatMap((peer) => ['sent', 'received'].map((way) => `direction="${way}",peer="${peer}"`)),
  ],
  ['synd_pulled_files_total', peers.map((peer) => `peer="${peer}"`)],
  [
    'synd_transfer_bytes_total',
    peers.flatMap((peer) => ['sent', 'received'].map((way) => `direction="${way}",peer="${peer}"`)),
  ],
  [
    'synd_transfer_errors_total',
    peers.flatMap((peer) =>
      ['unreachable', 'stalled', 'source-mismatch', 'disk-full'].map(
        (reason) => `peer="${peer}",reason="${reason}"`,
      ),
    ),
  ],
  ['synd_peer_info', peers.map((peer) => `id="",name="",peer="${peer}"`)],
  ['synd_held_deletes', ['']],
  ['synd_diverged', ['']],
  ['synd_conflicts_total', ['']],
  ['synd_problems', problemCodes.map((code) => `code="${code}"`)],
  [
    'synd_rejected_total',
    [
      'reason="not-local",surface="http"',
      'reason="timeout",surface="http"',
      'reason="bad-path",surface="grpc"',
    ],
  ],
  ['synd_scan_duration_seconds_count', ['']],
  ['synd_scan_duration_seconds_sum', ['']],
  ['synd_scan_duration_seconds_bucket', ['le="+Inf"']],
  ['synd_watch_events_total', ['']],
  ['synd_watch_overflows_total', ['']],
  ['synd_watch_degraded', ['']],
  ['synd_inotify_watches', ['']],
  ['synd_inotify_watches_limit', ['']],
  ['process_cpu_user_seconds_total', ['']],
  ['process_resident_memory_bytes', ['']],
  ['nodejs_eventloop_lag_p99_seconds', ['']],
]

const nothingYet = () => sampleStatus({ peers: [], problems: [] })

describe('from the first scrape on there is', () => {
  test.each(contract)('%s with all its labels', async (name, labelSets) => {
    const found = await series(nothingYet)
    for (const labels of labelSets) expect([...found.keys()]).toContain(`${name}{${labels}}`)
  })

  test('nothing of Synd that the contract does not name', async () => {
    const names = new Set(contract.map(([name]) => name))
    for (const key of (await series(nothingYet)).keys())
      if (key.startsWith('synd_')) expect(names).toContain(key.replace(/\{.*/, ''))
  })
})

test('the gauges show the status', async () => {
  const found = await series(() => sampleStatus())
  const expected: Record<string, number> = {
    'synd_volume_entries{kind="file"}': 11,
    'synd_volume_entries{kind="directory"}': 4,
    'synd_volume_entries{kind="symlink"}': 2,
    'synd_volume_entries{kind="tombstone"}': 5,
    'synd_volume_bytes{}': 123_456,
    'synd_volume_halted{}': 0,
    'synd_held_deletes{}': 6,
    'synd_diverged{}': 7,
    'synd_problems{code="unsupported-kind"}': 1,
    'synd_problems{code="peer-not-listed"}': 1,
    'synd_problems{code="disk-full"}': 0,
    'synd_peer_up{peer="host-b:50051"}': 1,
    'synd_peer_up{peer="[fd00::2]:7"}': 0,
    'synd_pending_changes{peer="host-b:50051"}': 3,
    'synd_oldest_pending_timestamp_seconds{peer="host-b:50051"}':
      Date.UTC(2026, 10, 23, 10) / 1000 + 0.5,
    'synd_last_sync_timestamp_seconds{peer="host-b:50051"}': Date.UTC(2026, 10, 23, 9) / 1000,
    'synd_peer_info{id="00112233445566ff",name="host-b",peer="host-b:50051"}': 1,
    'synd_inotify_watches{}': 21,
    'synd_inotify_watches_limit{}': 8192,
  }
  expect(Object.fromEntries([...found].filter(([key]) => key in expected))).toEqual(expected)
  const { volume } = sampleStatus()
  const halted = await series(() => sampleStatus({ volume: { ...volume, state: 'halted' } }))
  expect(halted.get('synd_volume_halted{}')).toBe(1)
})

test('what happens is counted', async () => {
  metrics.notified('host-b:50051', 'sent', 3)
  metrics.notified('host-b:50051', 'received', 2)
  metrics.pulled('host-b:50051', 1000)
  metrics.pulled('host-b:50051', 0)
  metrics.served('host-b:50051', 500)
  metrics.transferFailed('host-b:50051', 'stalled')
  metrics.propagated('host-b:50051', 0.3)
  metrics.conflicted()
  metrics.rejected('grpc', 'bad-path')
  metrics.scanned(0.2)
  metrics.watchEvents(7)
  metrics.watchOverflowed()
  metrics.watchDegraded('no watches left')
  metrics.notified('', 'received', 1)
  const found = await series(() => sampleStatus())
  const peer = 'peer="host-b:50051"'
  const expected: Record<string, number> = {
    [`synd_notifications_total{direction="sent",${peer}}`]: 3,
    [`synd_notifications_total{direction="received",${peer}}`]: 2,
    'synd_notifications_total{direction="received",peer="(unlisted)"}': 1,
    [`synd_pulled_files_total{${peer}}`]: 2,
    [`synd_transfer_bytes_total{direction="received",${peer}}`]: 1000,
    [`synd_transfer_bytes_total{direction="sent",${peer}}`]: 500,
    [`synd_transfer_errors_total{${peer},reason="stalled"}`]: 1,
    [`synd_propagation_seconds_count{${peer}}`]: 1,
    [`synd_propagation_seconds_bucket{le="0.25",${peer}}`]: 0,
    [`synd_propagation_seconds_bucket{le="0.5",${peer}}`]: 1,
    'synd_conflicts_total{}': 1,
    'synd_rejected_total{reason="bad-path",surface="grpc"}': 1,
    'synd_scan_duration_seconds_count{}': 1,
    'synd_watch_events_total{}': 7,
    'synd_watch_overflows_total{}': 1,
    'synd_watch_degraded{}': 1,
  }
  expect(Object.fromEntries([...found].filter(([key]) => key in expected))).toEqual(expected)
  metrics.watchDegraded(null)
  expect((await series(() => sampleStatus())).get('synd_watch_degraded{}')).toBe(0)
})

test('every reason of the SSH source and the SCP sink is known from the start', () => {
  const ssh: Record<SourceRejection, true> = {
    'connection-limit': true,
    'login-deadline': true,
    login: true,
    protocol: true,
    'session-limit': true,
    command: true,
    request: true,
    forwarding: true,
    path: true,
    stalled: true,
    'no-longer-authorized': true,
  }
  const scp: Record<SinkRejection, true> = { 'host-key': true, record: true, content: true }
  expect(knownRejections['ssh']).toEqual(Object.keys(ssh))
  expect(knownRejections['scp']).toEqual(Object.keys(scp))
})

test('an amount that is no amount changes nothing and throws nothing', async () => {
  for (const value of [Number.NaN, -1, Infinity]) {
    metrics.notified('host-b:50051', 'sent', value)
    metrics.propagated('host-b:50051', value)
    metrics.scanned(value)
    metrics.pulled('host-b:50051', value)
  }
  const found = await series(() => sampleStatus())
  expect(found.get('synd_propagation_seconds_sum{peer="host-b:50051"}')).toBe(0)
  expect(found.get('synd_propagation_seconds_count{peer="host-b:50051"}')).toBe(3)
})

test('a status that cannot be had leaves the gauges as they were, and the scrape answers', async () => {
  await series(() => sampleStatus())
  const found = await series(() => {
    throw new Error('no status')
  })
  expect(found.get('synd_volume_bytes{}')).toBe(123_456)
  expect(logged).toHaveLength(1)
})

test('the address that a name gave is dropped ten minutes after it left, and comes back at zero', async () => {
  const away = () =>
    sampleStatus({ peers: [samplePeer('host-b:50051'), samplePeer('[fd00::2]:7')] })
  const here = () =>
    sampleStatus({
      peers: [samplePeer('host-b:50051'), samplePeer('[fd00::2]:7'), samplePeer('10.0.0.9:50051')],
    })
  const ofPeer = (found: ReadonlyMap<string, number>) =>
    [...found.keys()].filter((key) => key.includes('peer="10.0.0.9:50051"'))
  const whole = ofPeer(await series(here)).length
  metrics.pulled('10.0.0.9:50051', 5)
  metrics.transferFailed('10.0.0.9:50051', 'odd-reason')
  nowMs += 9 * 60_000
  const left = await series(away)
  expect(ofPeer(left).length).toBe(whole + 1)
  expect(left.get('synd_peer_up{peer="10.0.0.9:50051"}')).toBe(0)
  expect(left.get('synd_pending_changes{peer="10.0.0.9:50051"}')).toBe(0)
  nowMs += 61_000
  expect(ofPeer(await series(away))).toEqual([])
  const back = await series(here)
  expect(ofPeer(back).length).toBe(whole)
  expect(back.get('synd_pulled_files_total{peer="10.0.0.9:50051"}')).toBe(0)
})

test('a configured address that turns out to be no peer is dropped after a minute', async () => {
  const others = () => sampleStatus({ peers: [samplePeer('host-b:50051')] })
  expect((await series(others)).has('synd_peer_up{peer="[fd00::2]:7"}')).toBe(true)
  nowMs += 61_000
  const found = await series(others)
  expect(found.has('synd_peer_up{peer="[fd00::2]:7"}')).toBe(false)
  expect(found.has('synd_peer_up{peer="host-b:50051"}')).toBe(true)
})

test('labels hold what the other side calls itself, escaped, and reasons are bounded', async () => {
  const name = 'a"b\\c\nd{e="f"} 1'
  const status = () => sampleStatus({ peers: [samplePeer('host-b:50051', { name })] })
  for (let index = 0; index < 1000; index += 1) metrics.rejected('grpc', `made-up-${index}`)
  metrics.rejected('grpc', 'Not a word "')
  const found = await series(status)
  expect([...found.keys()]).toContain(
    'synd_peer_info{id="00112233445566ff",name="a\\"b\\\\c\\nd{e=\\"f\\"} 1",peer="host-b:50051"}',
  )
  const rejections = [...found.keys()].filter((key) => key.startsWith('synd_rejected_total'))
  expect(rejections.length).toBeLessThan(230)
  expect(found.get('synd_rejected_total{reason="other",surface="grpc"}')).toBeGreaterThan(700)
})

test('many scrapes at once draw the metrics once, and never show an older status than the call', async () => {
  let calls = 0
  const status = () => sampleStatus({ volume: { ...sampleStatus().volume, bytes: (calls += 1) } })
  await Promise.all(Array.from({ length: 50 }, () => metrics.render(status, 'prometheus')))
  expect(calls).toBe(1)
  expect((await series(status)).get('synd_volume_bytes{}')).toBe(2)
})

test('whoever asks in between shares the next drawing, however many ask', async () => {
  let calls = 0
  const status = () => sampleStatus({ volume: { ...sampleStatus().volume, bytes: (calls += 1) } })
  const scrapes: Promise<string>[] = []
  for (let turn = 0; turn < 200; turn += 1) {
    scrapes.push(metrics.render(status, 'prometheus'))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all(scrapes)
  expect(calls).toBeLessThan(100)
})

test('OpenMetrics is the same with its own rules for names and the end, and spoils no later scrape', async () => {
  metrics.conflicted()
  const before = (await metrics.render(() => sampleStatus(), 'prometheus')).split('\n')
  const text = await metrics.render(() => sampleStatus(), 'openmetrics')
  expect(text.endsWith('\n# EOF\n')).toBe(true)
  expect(text).not.toContain('\n\n')
  expect(text).toContain('# TYPE synd_conflicts counter\n')
  expect(text).toContain('\nsynd_conflicts_total 1\n')
  expect(text).toContain('# TYPE synd_volume_bytes gauge\n')
  const after = (await metrics.render(() => sampleStatus(), 'prometheus')).split('\n')
  const types = (lines: readonly string[]) => lines.filter((line) => line.startsWith('# TYPE'))
  expect(types(after)).toEqual(types(before))
})

test.each([
  [undefined, 'prometheus'],
  ['*/*', 'prometheus'],
  ['text/plain', 'prometheus'],
  ['application/openmetrics-text', 'openmetrics'],
  [
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    'openmetrics',
  ],
  ['text/plain;version=0.0.4,application/openmetrics-text;q=0.5', 'prometheus'],
  ['application/openmetrics-text;q=0', 'prometheus'],
  ['application/openmetrics-text;q=x', 'prometheus'],
  [',;,=', 'prometheus'],
] as const)('Accept: %j is answered with %s', (accept, format) => {
  expect(negotiateFormat(accept)).toBe(format)
})

const hasPromtool = spawnSync('promtool', ['--version']).error === undefined

test.skipIf(!hasPromtool && process.env['CI'] !== 'true')(
  'promtool finds nothing to complain of',
  async () => {
    metrics.pulled('host-b:50051', 10)
    const input = await metrics.render(() => sampleStatus(), 'prometheus')
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input,
      encoding: 'utf8',
    })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
  },
)

test('the event loop counts as late by as much as it was held up', async () => {
  const lag = async (name: string) =>
    (await series(() => sampleStatus())).get(`nodejs_eventloop_lag_${name}_seconds{}`) ?? Number.NaN
  // The first sample is there once the timer has run twice.
  await expect.poll(() => lag('max'), { timeout: 30_000 }).toBeGreaterThan(0)
  const untilMs = Date.now() + 400
  while (Date.now() < untilMs);
  await expect.poll(() => lag('max'), { timeout: 30_000 }).toBeGreaterThan(0.2)
})
