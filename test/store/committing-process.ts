/*
 * Commits for ever until it is killed: node committing-process.ts <index> [peer-id|hold|none]
 * Generation n is one transaction that rewrites everything to n; when `commit` has returned, n is printed as a line.
 * It kills itself with `peer-id` inside the transaction that makes the index, with `hold` after the third hold.
 */
import { writeSync } from 'node:fs'

import { openStore } from '../../src/store/open-store.ts'
import { peer } from '../core/build.ts'
import { generation, holdOf } from './generation.ts'

const [path = '', dieAt = 'none'] = process.argv.slice(2)

const { store } = openStore({
  path,
  durability: 'full',
  newPeerId: () => {
    if (dieAt === 'peer-id') process.kill(process.pid, 'SIGKILL')
    return peer('a')
  },
  nowMs: () => 0,
})
for (let n = store.lastCounter() + 1; ; n++) {
  store.recordHolds([holdOf(n)])
  if (dieAt === 'hold' && n === 3) process.kill(process.pid, 'SIGKILL')
  store.commit(generation(n))
  writeSync(1, `${n}\n`)
}
