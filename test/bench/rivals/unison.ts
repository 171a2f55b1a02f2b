import type { Rival } from './rival.ts'

/** unison, which looks again every second: Debian's has no file watcher. */
export const unison: Rival = {
  name: 'unison',
  files: 20,
  start: async (ground) => {
    const { from, to } = ground
    ground.run('unison', [from, to, '-ui', 'text', '-batch', '-auto', '-silent', '-repeat', '1'])
    return { from, to }
  },
}
