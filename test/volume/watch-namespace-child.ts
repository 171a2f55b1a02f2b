/**
 * Runs alone in a user namespace whose inotify limits it may set: `<volume> <watches> <instances>`. Writes each hint as a line of JSON; a
 * line on stdin sets both limits.
 */
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

import { inotifyWatches, inotifyWatchLimit } from '../../src/volume/inotify-limits.ts'
import { VolumeWatcher } from '../../src/volume/watch.ts'

const [volume = '', watches = '', instances = ''] = process.argv.slice(2)
setLimits(watches, instances)

createInterface({ input: process.stdin }).on('line', (line) => {
  const [moreWatches = '', moreInstances = ''] = line.split(' ')
  setLimits(moreWatches, moreInstances)
})

const watcher = new VolumeWatcher({
  volume,
  mode: 'auto',
  environment: {},
  retryIntervalMs: 100,
  pollIntervalMs: 50,
})
for await (const hint of watcher.watch(new AbortController().signal)) {
  const count = (await inotifyWatches()).length
  process.stdout.write(`${JSON.stringify({ hint, count, limit: inotifyWatchLimit() })}\n`)
}

function setLimits(newWatches: string, newInstances: string): void {
  writeFileSync('/proc/sys/user/max_inotify_watches', newWatches)
  writeFileSync('/proc/sys/user/max_inotify_instances', newInstances)
}
