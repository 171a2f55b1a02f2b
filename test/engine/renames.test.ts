import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Entry } from '../../src/core/entry.ts'
import { directory, tombstone } from '../core/build.ts'
import { LoneEngine } from './lone-engine.ts'
import { toldFile, type PlayedPeer } from './played-peer.ts'

/** Rule 15: a rename is never a delete first, here as there. */

let synd: LoneEngine
let b: PlayedPeer

beforeEach(async () => {
  synd = await LoneEngine.start()
  b = synd.peer('b')
  b.connect()
  await synd.pass(1_000)
})

afterEach(async () => {
  await synd.stop()
})

const numbers = Array.from({ length: 300 }, (_, n) => n)

/** `+path` and `-path` as b heard them since it had heard `from` announcements. */
function heardSince(from: number): string[] {
  const entries = b.heard.slice(from).flatMap((announcement) => announcement.entries)
  return entries.map(({ entry }) => `${entry.kind === 'tombstone' ? '-' : '+'}${entry.path}`)
}

describe('rule 15: what is done here', () => {
  test('a renamed directory is announced under its new name before it is gone under the old', async () => {
    synd.hands.mkdir('before')
    for (const n of numbers) synd.hands.write(`before/${n}`, `content ${n}`)
    await synd.pass(3_000)
    const from = b.heard.length
    synd.hands.rename('before', 'after')
    await synd.pass(3_000)
    const heard = heardSince(from)
    expect(heard).toHaveLength(602)
    expect(heard.slice(0, 301).every((one) => one.startsWith('+after'))).toBe(true)
    expect(heard.slice(301).every((one) => one.startsWith('-before'))).toBe(true)
  })

  test('a file that is removed and written again a moment later is never deleted', async () => {
    synd.hands.write('x', 'one')
    await synd.pass(3_000)
    const from = b.heard.length
    synd.hands.remove('x')
    await synd.pass(30)
    synd.hands.write('x', 'two')
    await synd.pass(3_000)
    expect(heardSince(from)).toEqual(['+x'])
  })

  test('a delete is announced within a second', async () => {
    synd.hands.write('x', 'one')
    await synd.pass(3_000)
    const from = b.heard.length
    synd.hands.remove('x')
    await synd.pass(1_000)
    expect(heardSince(from)).toEqual(['-x'])
  })
})

describe('rule 15: what is done there', () => {
  test('a rename moves no content, though its deletes are known as soon as its new names', async () => {
    b.announce(directory({ path: 'before', version: 'b1', by: 'b1' }))
    b.announce(...numbers.map((n) => toldFile(`before/${n}`, `content ${n}`)))
    await synd.pass(5_000)
    const pulls = synd.transfer.pulls.length
    const deleted: Entry[] = numbers.map((n) => {
      const [known] = toldFile(`before/${n}`, `content ${n}`)
      const gone = tombstone({ path: known.path, version: 'b3', by: 'b3' })
      return { ...gone, removedDigest: known.kind === 'file' ? known.digest : null }
    })
    b.announce(directory({ path: 'after', version: 'b2', by: 'b2', mode: 0o755 }))
    b.announce(...numbers.map((n) => toldFile(`after/${n}`, `content ${n}`, 'b2')))
    b.announce(...deleted)
    await synd.pass(10_000)
    expect(synd.transfer.pulls.slice(pulls)).toEqual([])
    expect(synd.tree.filter((one) => one.startsWith('after/'))).toHaveLength(300)
    expect(synd.tree.filter((one) => one.startsWith('before/'))).toEqual([])
  })
})

describe('rule 15: a file that was renamed there is renamed here', () => {
  const large = 'x'.repeat(2_000_000)
  let made: string[]
  let hasLinks: boolean

  beforeEach(async () => {
    await synd.stop()
    made = []
    hasLinks = true
    synd = await LoneEngine.start({
      attach: {
        effect: ({ operation, path: at, to, when }) => {
          if (when === 'after' && at.startsWith('.synd/staging/') && operation === 'create')
            made.push('created')
          if (when === 'after' && operation === 'copy') made.push('copied')
          if (when === 'after' && to?.startsWith('.synd/staging/') === true && operation === 'link')
            made.push(`linked ${at}`)
        },
        refuse: ({ operation }) => (operation === 'link' && !hasLinks ? 'EPERM' : null),
      },
    })
    b = synd.peer('b')
    b.connect()
    await synd.pass(1_000)
  })

  /** `before` is here, and is announced as `after`. */
  async function announceRenamed(content: string): Promise<void> {
    b.announce(toldFile('before', content))
    await synd.pass(5_000)
    made.length = 0
    b.announce(toldFile('after', content, 'b2'))
  }

  const gone = tombstone({ path: 'before', version: 'b3', by: 'b3' })

  const names = (): string[] => synd.tree.map((one) => one.split(':')[0] ?? '')

  test('where its delete is known', async () => {
    b.announce(toldFile('before', 'content'))
    await synd.pass(5_000)
    made.length = 0
    b.announce(toldFile('after', 'content', 'b2'), gone)
    await synd.pass(5_000)
    expect(made).toEqual(['linked before'])
    expect(synd.tree).toEqual(['after: f 644 content'])
    expect(synd.transfer.pulls).toHaveLength(1)
  })

  test('a large one also when its delete comes a moment later', async () => {
    await announceRenamed(large)
    await synd.pass(200)
    b.announce(gone)
    await synd.pass(5_000)
    expect(made).toEqual(['linked before'])
    expect(names()).toEqual(['after'])
  })

  test('a large one that stays where it is is copied', async () => {
    await announceRenamed(large)
    await synd.pass(5_000)
    expect(made).toEqual(['copied'])
    expect(names()).toEqual(['after', 'before'])
    expect(synd.transfer.pulls).toHaveLength(1)
  })

  test.each(['content', large])('or copied, where no links are made (%#)', async (content) => {
    hasLinks = false
    await announceRenamed(content)
    b.announce(gone)
    await synd.pass(5_000)
    expect(made).toHaveLength(1)
    expect(names()).toEqual(['after'])
    expect(synd.transfer.pulls).toHaveLength(1)
  })

  test('a large one is copied at once by who is receive-only, and renames nothing', async () => {
    await synd.stop()
    synd = await LoneEngine.start({ mode: 'receive-only' })
    b = synd.peer('b')
    b.connect()
    await announceRenamed(large)
    await synd.pass(500)
    expect(names()).toEqual(['after', 'before'])
  })

  test('not where it is wanted twice', async () => {
    b.announce(toldFile('before', 'content'))
    await synd.pass(5_000)
    made.length = 0
    b.announce(toldFile('one', 'content', 'b2'), toldFile('two', 'content', 'b2'))
    b.announce(gone)
    await synd.pass(5_000)
    expect(names()).toEqual(['one', 'two'])
    expect(synd.transfer.pulls).toHaveLength(1)
  })

  test('what was written into it meanwhile, here, stays', async () => {
    b.announce(toldFile('before', 'content'))
    await synd.pass(5_000)
    synd.hands.append('before', ' and more')
    b.announce(toldFile('after', 'content', 'b2'))
    b.announce(gone)
    await synd.pass(5_000)
    expect(synd.tree).toEqual(['after: f 644 content', 'before: f 644 content and more'])
  })
})
