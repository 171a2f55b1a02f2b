import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Rival } from './rival.ts'

/** lsyncd, which starts an rsync at inotify's events, without its usual delay of 15 s. */
export const lsyncd: Rival = {
  name: 'lsyncd',
  files: 50,
  start: async (ground) => {
    const { from, to, room } = ground
    const config = join(room, 'lsyncd.lua')
    writeFileSync(
      config,
      [
        'settings { nodaemon = true }',
        `sync { default.rsync, source = "${from}", target = "${to}", delay = 0, rsync = { archive = true } }`,
        '',
      ].join('\n'),
    )
    ground.run('lsyncd', ['-nodaemon', config])
    return { from, to }
  },
}
