import { expect, test } from 'vitest'
import { Overlay } from '../../src/engine/pull/overlay.ts'
import { directory, file, tombstone } from '../core/build.ts'
import { engineParts, path, put } from './parts.ts'

const shape = { version: 'a1', by: 'a1' }

test('rule 11: what a batch made in a directory is in it, and what it removed is not', () => {
  const { store, ledger } = engineParts()
  ledger.commit([
    put(directory({ path: 'd', ...shape })),
    put(file({ path: 'd/kept', ...shape })),
    put(file({ path: 'd/gone', ...shape })),
  ])
  const overlay = new Overlay({ store })
  overlay.put(put(tombstone({ path: 'd/gone', version: 'a2', by: 'a2' })))
  overlay.put(put(file({ path: 'd/new', ...shape })))
  overlay.put(put(file({ path: 'd/kept', version: 'a2', by: 'a2' })))
  overlay.put(put(file({ path: 'd/new/below', ...shape })))
  const children = overlay.liveChildren(path('d'))
  expect(children.map(({ entry }) => entry.path)).toEqual(['d/kept', 'd/new'])
})
