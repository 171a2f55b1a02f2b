import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { type OpenedStore, openStore, type StoreOptions } from '../../src/store/open-store.ts'
import { peer } from '../core/build.ts'

/** An index in a directory of its own below the system's. */
export interface TemporaryIndex extends Disposable {
  /** Holds the state directory. */
  readonly directory: string
  readonly path: string
  open(options?: Partial<StoreOptions>): OpenedStore
  /** Opens, lets `use` work and closes. */
  with<Result>(use: (opened: OpenedStore) => Result): Result
  /** Runs SQL on the file behind the store's back. */
  edit(sql: string): void
}

export function temporaryIndex(): TemporaryIndex {
  const directory = mkdtempSync(join(tmpdir(), 'synd-store-'))
  return indexIn(directory, () => rmSync(directory, { recursive: true, force: true }))
}

/** An index below a directory that is there; `dispose` is the caller's. */
export function indexIn(directory: string, dispose: () => void): TemporaryIndex {
  const path = join(directory, 'state', 'index.sqlite')
  const open = (options: Partial<StoreOptions> = {}) =>
    openStore({
      path,
      durability: 'full',
      newPeerId: () => peer('a'),
      nowMs: () => Date.UTC(2026, 10, 23, 14, 53, 1, 234),
      ...options,
    })
  return {
    directory,
    path,
    open,
    with: (use) => {
      const opened = open()
      try {
        return use(opened)
      } finally {
        opened.store.close()
      }
    },
    edit: (sql) => {
      const database = new DatabaseSync(path)
      database.exec(sql)
      database.close()
    },
    [Symbol.dispose]: dispose,
  }
}
