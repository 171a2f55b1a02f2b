import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** Propagation takes milliseconds on a good day and hours after a partition. */
const propagationBuckets = [
  0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800,
]

/** From a few files to some millions. */
const scanBuckets = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

/** Every metric of Synd in one table (src/README.md, Where things are), registered in `registry`; prom-client's defaults come besides. */
export function createMetricTable(registry: Registry) {
  const registers = [registry]
  const counter = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[] = [],
  ) => new Counter<Label>({ name, help, labelNames: [...labelNames], registers })
  const gauge = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[] = [],
  ) => new Gauge<Label>({ name, help, labelNames: [...labelNames], registers })
  const histogram = <Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: readonly Label[] = [],
  ) => new Histogram<Label>({ name, help, labelNames: [...labelNames], buckets, registers })

  return {
    buildInfo: gauge('synd_build_info', 'Always 1; what runs.', ['version', 'node']),

    volumeEntries: gauge('synd_volume_entries', 'Entries in the index, by kind.', ['kind']),
    volumeBytes: gauge('synd_volume_bytes', 'Bytes in the files of the index.'),
    volumeFreeBytes: gauge(
      'synd_volume_free_bytes',
      'Room that the file system of the volume has for this user; 0 before it is known.',
    ),
    volumeSizeBytes: gauge(
      'synd_volume_size_bytes',
      'Size of the file system of the volume; 0 before it is known.',
    ),
    volumeHalted: gauge('synd_volume_halted', '1 while nothing is synced because of the volume.'),
    heldDeletes: gauge('synd_held_deletes', 'Deletes held back until approved or rejected.'),
    diverged: gauge(
      'synd_diverged',
      'Paths that the mode keeps apart: not taken from others, or changed on a receive-only peer.',
    ),
    problems: gauge('synd_problems', 'What is not in sync or not synced, by code.', ['code']),
    conflicts: counter('synd_conflicts_total', 'Conflicts that were resolved here with a copy.'),

    peerInfo: gauge('synd_peer_info', 'Always 1; who answers there.', ['peer', 'name', 'id']),
    peerUp: gauge('synd_peer_up', '1 while the peer is connected.', ['peer']),
    pendingChanges: gauge(
      'synd_pending_changes',
      'Changes of this peer that the other has not acknowledged as applied.',
      ['peer'],
    ),
    oldestPending: gauge(
      'synd_oldest_pending_timestamp_seconds',
      'When the oldest pending change was seen; 0 for none.',
      ['peer'],
    ),
    lastSync: gauge(
      'synd_last_sync_timestamp_seconds',
      'When this peer and the other were last in sync; 0 for never.',
      ['peer'],
    ),
    propagation: histogram(
      'synd_propagation_seconds',
      'From a change seen here until it was applied there.',
      propagationBuckets,
      ['peer'],
    ),
    notifications: counter('synd_notifications_total', 'Entries announced, by direction.', [
      'peer',
      'direction',
    ]),
    pulledFiles: counter('synd_pulled_files_total', 'Files pulled from the peer.', ['peer']),
    transferBytes: counter('synd_transfer_bytes_total', 'Bytes of files, by direction.', [
      'peer',
      'direction',
    ]),
    transferErrors: counter('synd_transfer_errors_total', 'Pulls that failed, by reason.', [
      'peer',
      'reason',
    ]),
    rejected: counter('synd_rejected_total', 'What was refused from outside.', [
      'surface',
      'reason',
    ]),

    scanDuration: histogram('synd_scan_duration_seconds', 'Full scans.', scanBuckets),
    watchEvents: counter('synd_watch_events_total', 'Events of the file system.'),
    watchOverflows: counter('synd_watch_overflows_total', 'Times that events may have been lost.'),
    watchDegraded: gauge('synd_watch_degraded', '1 while some of the volume is only scanned.'),
    inotifyWatches: gauge('synd_inotify_watches', 'Directories watched by this process.'),
    inotifyWatchesLimit: gauge('synd_inotify_watches_limit', 'fs.inotify.max_user_watches.'),
  }
}

export type MetricTable = ReturnType<typeof createMetricTable>
