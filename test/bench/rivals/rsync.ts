import type { Rival } from './rival.ts'

/** `rsync -a` started by hand after each change. */
export const rsync: Rival = {
  name: 'rsync',
  files: 50,
  start: async (ground) => {
    const { from, to } = ground
    return { from, to, changed: () => ground.run('rsync', ['-a', `${from}/`, `${to}/`]) }
  },
}
