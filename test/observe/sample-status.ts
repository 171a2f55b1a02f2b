import type { PeerStatus, Status } from '../../src/core/status.ts'

/** A peer that is connected and has three changes to come. */
export function samplePeer(address: string, changes: Partial<PeerStatus> = {}): PeerStatus {
  return {
    id: '00112233445566ff',
    name: address.split(':')[0] ?? address,
    address,
    connected: true,
    inSync: false,
    pendingChanges: 3,
    diverged: 0,
    oldestPendingTimestamp: '2026-11-23T10:00:00.500Z',
    lastSyncTimestamp: '2026-11-23T09:00:00.000Z',
    lastError: null,
    ...changes,
  }
}

/** A running peer with two problems and a conflict; every path in it holds the word `secret`. */
export function sampleStatus(changes: Partial<Status> = {}): Status {
  return {
    peer: { id: 'aabbccddeeff0011', name: 'host-a' },
    version: '1.2.3',
    mode: 'send-only',
    volume: {
      path: '/srv/secret-volume',
      state: 'syncing',
      haltedBecause: null,
      files: 11,
      directories: 4,
      symlinks: 2,
      bytes: 123_456,
      ignored: 1,
      tombstones: 5,
      heldDeletes: 6,
      diverged: 7,
      treeDigest: 'ab'.repeat(32),
    },
    inSync: false,
    isScanned: true,
    isStarted: true,
    peers: [samplePeer('host-b:50051')],
    problems: [
      {
        path: 'secret/a.sock',
        code: 'unsupported-kind',
        message: 'a socket',
        since: '2026-11-23T10:00:00.000Z',
      },
      { path: null, code: 'peer-not-listed', message: 'host-c', since: '2026-11-23T10:00:00.000Z' },
    ],
    conflicts: ['secret.sync-conflict-20261123-100000-0123abcd.txt'],
    ...changes,
  }
}
