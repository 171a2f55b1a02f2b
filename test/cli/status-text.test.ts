import { expect, test } from 'vitest'
import { statusLines } from '../../src/cli/commands/status-text.ts'
import { withoutPaths } from '../../src/observe/http/public-status.ts'
import { samplePeer, sampleStatus } from '../observe/sample-status.ts'

const nowMs = Date.parse('2026-11-23T10:00:30.500Z')
const { volume } = sampleStatus()

test('the whole status in words', () => {
  expect(statusLines(sampleStatus(), nowMs)).toEqual([
    'host-a (aabbccddeeff0011), synd 1.2.3, send-only',
    'volume /srv/secret-volume: 11 files, 4 directories, 2 symlinks, 120.6 KiB',
    'not in sync',
    '  6 deletes are held back: decide with synd approve or synd reject',
    '  7 paths differ on the peers, and this peer is send-only',
    '  host-b:50051 lacks 3 changes',
    '  changes are on their way',
    '',
    'peer    address       state      pending             last in sync',
    'host-b  host-b:50051  connected  3, oldest 30 s ago  61 min ago',
    '',
    'problems:',
    '  secret/a.sock: a socket (unsupported-kind, since 31 s ago)',
    '  host-c (peer-not-listed, since 31 s ago)',
    '',
    'conflict copies:',
    '  secret.sync-conflict-20261123-100000-0123abcd.txt',
  ])
})

test('in sync with nothing to say is short', () => {
  const status = sampleStatus({
    inSync: true,
    volume: {
      ...volume,
      state: 'idle',
      heldDeletes: 0,
      diverged: 0,
      files: 1,
      directories: 1,
      symlinks: 0,
      bytes: 5,
    },
    peers: [
      samplePeer('host-b:50051', {
        inSync: true,
        pendingChanges: 0,
        lastSyncTimestamp: '2026-11-23T10:00:30.000Z',
      }),
    ],
    problems: [],
    conflicts: [],
  })
  expect(statusLines(status, nowMs).slice(1)).toEqual([
    'volume /srv/secret-volume: 1 file, 1 directory, 0 symlinks, 5 bytes',
    'in sync',
    '',
    'peer    address       state    pending  last in sync',
    'host-b  host-b:50051  in sync  -        1 s ago',
  ])
})

test.each([
  [
    {
      volume: {
        ...volume,
        state: 'halted',
        heldDeletes: 0,
        haltedBecause: 'the volume is missing',
      },
    },
    '  halted: the volume is missing',
  ],
  [{ volume: { ...volume, state: 'scanning', heldDeletes: 0 } }, '  the volume is being scanned'],
  [
    { volume: { ...volume, heldDeletes: 1 } },
    '  1 delete is held back: decide with synd approve or synd reject',
  ],
  [
    { mode: 'receive-only', volume: { ...volume, diverged: 1 } },
    '  1 path was changed here, and this peer is receive-only: take back with synd reject',
  ],
  [
    { mode: 'send-only', volume: { ...volume, diverged: 2 } },
    '  2 paths differ on the peers, and this peer is send-only',
  ],
  [
    { peers: [samplePeer('host-b:50051', { diverged: 1 })] },
    '  host-b:50051 keeps 1 path apart by its mode',
  ],
  [{ peers: [] }, '  there are no peers (SYND_PEERS)'],
  [
    { peers: [samplePeer('host-b:50051', { connected: false })] },
    '  host-b:50051 is not connected',
  ],
  [
    {
      volume: { ...volume, state: 'idle', heldDeletes: 0, diverged: 0 },
      peers: [samplePeer('h:1', { pendingChanges: 0 })],
    },
    '  waiting for the peers to say the same',
  ],
] as const)('why not in sync: %#', (changes, line) => {
  expect(statusLines(sampleStatus(changes), nowMs)).toContain(line)
})

test('why a peer is not connected stands in its row', () => {
  const peer = samplePeer('host-b:50051', {
    connected: false,
    name: null,
    lastSyncTimestamp: null,
    lastError: 'connection refused',
  })
  expect(statusLines(sampleStatus({ peers: [peer] }), nowMs)).toContain(
    '?     host-b:50051  not connected  3, oldest 30 s ago  never         connection refused',
  )
})

test('the status for other hosts is told without names', () => {
  const text = statusLines(withoutPaths(sampleStatus()), nowMs).join('\n')
  expect(text).not.toContain('secret')
  expect(text).toContain('problems:\n  2\n\nconflict copies:\n  1')
})

test('names from outside cannot move the cursor', () => {
  const evil = '\u001B[2J\nx'
  const status = sampleStatus({
    peers: [samplePeer('host-b:50051', { name: evil, connected: false, lastError: evil })],
    problems: [{ path: evil, code: 'unreadable', message: evil, since: evil }],
    conflicts: [evil],
  })
  for (const line of statusLines(status, nowMs)) expect(line).not.toMatch(/\p{Cc}/u)
})
