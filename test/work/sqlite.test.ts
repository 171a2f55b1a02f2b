import { copyFileSync, existsSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, expect, test } from 'vitest'
import { Cluster } from '../e2e/cluster.ts'
import { treeDifference, readTree } from '../e2e/tree.ts'
import { until } from '../e2e/wait.ts'
import { Random } from '../support/random.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { patientMs, untilAtRest } from './at-rest.ts'
import { ConstantReader } from './constant-reader.ts'

const rounds = 3
const transactions = 150
const seed = Number(process.env['WORK_SEED'] ?? Math.floor(Math.random() * 2 ** 32))

let cluster: Cluster
let database: DatabaseSync | null = null
let reader: ConstantReader | null = null
const elsewhere = temporaryDirectory()

afterEach(async () => {
  await reader?.terminate()
  if (database?.isOpen === true) database.close()
  await cluster.stop()
  elsewhere.remove()
}, patientMs)

test(
  `a SQLite database in WAL mode: whenever it rests, open as it is, the other side has one that is whole and equal (WORK_SEED=${seed})`,
  { timeout: 2 * patientMs },
  async () => {
    const random = new Random(seed)
    cluster = await Cluster.make(['alpha', 'beta'])
    await cluster.start()
    const here = cluster.member('alpha').volume
    const there = cluster.member('beta').volume
    reader = await ConstantReader.start(there, 'sqlite')
    database = new DatabaseSync(join(here, 'app.db'))
    database.exec('pragma journal_mode = wal; pragma wal_autocheckpoint = 100')
    database.exec('create table orders (id integer primary key, customer text, amount integer)')
    database.exec('create index by_customer on orders (customer)')
    for (let round = 0; round < rounds; round++) {
      for (let n = 0; n < transactions; n++) await write(database, random)
      await untilSameFiles(here, there)
      const copy = copyOf(there)
      expect(copy.prepare('pragma integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
      expect(rowsOf(copy)).toEqual(rowsOf(database))
      expect(rowsOf(copy).length).toBeGreaterThan(transactions / 2)
      copy.close()
    }
    expect(existsSync(join(there, 'app.db-wal'))).toBe(true)
    database.close()
    await untilAtRest(cluster)
    expect(existsSync(join(there, 'app.db-wal'))).toBe(false)
    const { versions, faults } = await reader.end()
    expect(faults).toEqual([])
    expect(versions).toBeGreaterThan(rounds)
  },
)

/** One transaction, after which others have their turn. */
async function write(database: DatabaseSync, random: Random): Promise<void> {
  const insert = database.prepare('insert into orders (customer, amount) values (?, ?)')
  const update = database.prepare('update orders set amount = amount + 1 where customer = ?')
  const remove = database.prepare('delete from orders where id = ?')
  database.exec('begin')
  for (let n = 1 + random.below(5); n > 0; n--) {
    insert.run(`customer ${random.below(50)}`, random.below(1000))
  }
  update.run(`customer ${random.below(50)}`)
  remove.run(random.below(500))
  database.exec('commit')
  await new Promise((resolve) => setImmediate(resolve))
}

/**
 * The memory that the processes of this host share through `app.db-shm` is written without an event or a new time, and nobody else needs it: SQLite
 * makes it anew.
 */
async function untilSameFiles(here: string, there: string): Promise<void> {
  const tree = (volume: string): Map<string, string> => {
    const found = readTree(volume)
    found.delete('app.db-shm')
    return found
  }
  await until(() => treeDifference(tree(here), tree(there)), { deadlineMs: patientMs })
}

/** What opens a database writes beside it, and would be synced: the copy is elsewhere. */
function copyOf(volume: string): DatabaseSync {
  const directory = mkdtempSync(join(elsewhere.path, 'copy-'))
  for (const name of ['app.db', 'app.db-wal']) {
    copyFileSync(join(volume, name), join(directory, name))
  }
  return new DatabaseSync(join(directory, 'app.db'))
}

function rowsOf(database: DatabaseSync): unknown[] {
  return database.prepare('select * from orders order by id').all()
}
