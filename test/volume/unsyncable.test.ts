import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { errorCode } from '../../src/core/errors.ts'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import { openFile } from '../../src/volume/opened-file.ts'
import { make, remove } from '../conformance/volume-subject.ts'
import { realVolume } from '../support/real-volume.ts'
import {
  demandApplied,
  digestOfText,
  directoryEntry,
  observed,
  put,
} from '../support/volume-fixture.ts'

test('FIFOs and sockets are told apart, never opened, and not replaced', async () => {
  await using under = realVolume()
  const { disk, hands, path } = under
  const volume = await under.open()
  execFileSync('mkfifo', [join(path, 'fifo')])
  const server = createServer().listen(join(path, 'socket'))
  await once(server, 'listening')
  const fifo = parseRelativePath('fifo')
  expect(volume.look(fifo)).toEqual({ kind: 'unsyncable', what: 'fifo' })
  expect(volume.look(parseRelativePath('socket'))).toEqual({ kind: 'unsyncable', what: 'socket' })
  const listing = volume.list(null)
  if (listing.kind !== 'listed') throw new Error(listing.kind)
  const kinds = [...listing.children].map(({ name, look }) => `${name} ${look.kind}`)
  expect(kinds.toSorted()).toEqual(['fifo unsyncable', 'socket unsyncable'])
  hands.write('f', 'x')
  const file = observed(volume, 'f')
  for (const special of ['fifo', 'socket']) {
    const at = parseRelativePath(special)
    // No writer will ever come: an open that waited for one would hang here.
    expect(await volume.digest(at, file)).toEqual({ kind: 'changed' })
    const stolen = { sizeBytes: 1, digest: digestOfText('x') }
    expect(await volume.stageFromLocal(at, stolen)).toBeNull()
    expect(codeOf(() => openFile(disk, at))).toBe('superseded')
    for (const expected of [null, file])
      expect(await put(volume, special, { content: 'x', expected })).toEqual({ kind: 'changed' })
    expect(await remove(volume, special, file)).toEqual({ kind: 'changed' })
    expect(await make(volume, directoryEntry(special))).toEqual({ kind: 'changed' })
  }
  const made = demandApplied(await make(volume, directoryEntry('d')))
  execFileSync('mkfifo', [join(path, 'd/fifo')])
  expect(await remove(volume, 'd', made.observation)).toEqual({ kind: 'not-empty' })
  expect(volume.look(fifo)).toEqual({ kind: 'unsyncable', what: 'fifo' })
  server.close()
})

function codeOf(attempt: () => unknown): string | null {
  try {
    attempt()
    return 'none'
  } catch (error) {
    return errorCode(error)
  }
}
