import { describe, expect, test } from 'vitest'
import { diskSuite } from '../conformance/disk-suite.ts'
import { MemoryDisk } from '../support/memory-disk.ts'
import { ProcessEnded } from '../support/memory-disk-attached.ts'
import { memoryHands } from '../support/memory-hands.ts'
import { Random } from '../support/random.ts'

const nowMs = (): number => 1_763_900_000_000

diskSuite('the memory disk', () => {
  const disk = new MemoryDisk({ nowMs })
  return { disk: disk.attach(), hands: memoryHands(disk), dispose: async () => undefined }
})

/** What a power loss leaves, over many seeds: each tree once, as text. */
async function outcomes(prepare: (disk: MemoryDisk) => Promise<void> | void): Promise<Set<string>> {
  const found = new Set<string>()
  for (let seed = 1; seed <= 60; seed++) {
    const disk = new MemoryDisk({ nowMs })
    await prepare(disk)
    const random = new Random(seed)
    disk.crash(() => random.fraction())
    found.add([...memoryHands(disk).tree()].map(([path, what]) => `${path}=${what}`).join(' '))
  }
  return found
}

describe('a power loss', () => {
  test('takes what was not synced, all or some of it', async () => {
    const left = await outcomes((disk) => {
      const hands = memoryHands(disk)
      hands.write('a', 'A')
      hands.write('b', 'B')
    })
    for (const tree of ['', 'a=f 644 A', 'b=f 644 B', 'a=f 644 A b=f 644 B', 'a=f 644 '])
      expect([...left]).toContain(tree)
  })

  test('takes nothing that was synced', async () => {
    const left = await outcomes(async (disk) => {
      memoryHands(disk).mkdir('d')
      const attached = disk.attach()
      const file = attached.create('d/f', 0o600)
      await file.write(Buffer.from('bytes'))
      file.setMode(0o640)
      await file.sync()
      await attached.syncDirectory('d')
      await attached.syncDirectory('')
    })
    expect([...left]).toEqual(['d=d 755 d/f=f 640 bytes'])
  })

  test('leaves a name without bytes where only the directory was synced, and bytes without a name', async () => {
    const unnamed = await outcomes(async (disk) => {
      memoryHands(disk).write('f', 'bytes')
      await disk.attach().syncFile('f')
    })
    expect([...unnamed].toSorted()).toEqual(['', 'f=f 644 bytes'])
    const empty = await outcomes(async (disk) => {
      memoryHands(disk).write('f', 'bytes')
      await disk.attach().syncDirectory('')
    })
    expect([...empty]).toContain('f=f 644 ')
    expect([...empty]).toContain('f=f 644 bytes')
    expect([...empty].every((tree) => tree.startsWith('f='))).toBe(true)
  })

  test('leaves a rename done or undone, never half', async () => {
    const left = await outcomes((disk) => {
      const hands = memoryHands(disk)
      hands.mkdir('d')
      hands.write('a', 'new')
      hands.write('d/b', 'old')
      disk.syncAll()
      hands.rename('a', 'd/b')
    })
    expect([...left].toSorted()).toEqual([
      'a=f 644 new d=d 755 d/b=f 644 old',
      'd=d 755 d/b=f 644 new',
    ])
  })

  test('keeps what one inode went through in order', async () => {
    const left = await outcomes((disk) => {
      const hands = memoryHands(disk)
      hands.write('a', 'x')
      disk.syncAll()
      hands.link('a', 'b')
      hands.remove('a')
      hands.rename('b', 'c')
    })
    for (const tree of left) expect(tree).not.toBe('')
  })

  test('brings back what was removed and not synced, and a number is not given twice', async () => {
    const disk = new MemoryDisk({ nowMs })
    const hands = memoryHands(disk)
    hands.write('a', 'x')
    disk.syncAll()
    const before = disk.tree().get('a').number
    hands.remove('a')
    hands.write('b', 'y')
    expect(disk.tree().get('b').number).not.toBe(before)
    disk.crash(() => 0)
    expect(hands.tree()).toEqual(new Map([['a', 'f 644 x']]))
  })
})

describe('processes on the memory disk', () => {
  test('end when an effect throws, and change nothing any more', () => {
    const disk = new MemoryDisk({ nowMs })
    const seen: string[] = []
    const attached = disk.attach({
      effect: ({ when, operation, path }) => {
        seen.push(`${when} ${operation} ${path}`)
        if (seen.length === 3) throw new Error('crash')
      },
    })
    attached.mkdir('a', 0o755)
    expect(() => attached.mkdir('b', 0o755)).toThrow('crash')
    expect(() => attached.mkdir('c', 0o755)).toThrow(ProcessEnded)
    expect(() => attached.lstat('a')).toThrow(ProcessEnded)
    expect(seen).toEqual(['before mkdir a', 'after mkdir a', 'before mkdir b'])
    expect([...memoryHands(disk).tree().keys()]).toEqual(['a'])
    const other = disk.attach()
    disk.kill()
    expect(() => other.lstat('a')).toThrow(ProcessEnded)
    expect(disk.attach().lstat('a')).not.toBeNull()
  })

  test('are refused what the test refuses, before anything is done', () => {
    const disk = new MemoryDisk({ nowMs })
    const attached = disk.attach({
      refuse: ({ operation, path }) => (operation === 'mkdir' && path === 'a' ? 'ENOSPC' : null),
    })
    expect(() => attached.mkdir('a', 0o755)).toThrow(/ENOSPC/)
    attached.mkdir('b', 0o755)
    expect([...memoryHands(disk).tree().keys()]).toEqual(['b'])
  })

  test('hint at every path that anybody changes', () => {
    const disk = new MemoryDisk({ nowMs })
    const hands = memoryHands(disk)
    const hints: string[] = []
    const stop = disk.onChange((path) => void hints.push(path))
    hands.mkdir('d')
    hands.write('d/f', 'x')
    hands.chmod('d/f', 0o600)
    disk.attach().rename('d/f', 'g')
    hands.remove('g')
    stop()
    hands.remove('d')
    expect([...new Set(hints)]).toEqual(['d', 'd/f', 'g'])
    expect(hints.at(-1)).toBe('g')
  })
})

describe('copies of the memory disk', () => {
  test('a snapshot is the same to the inode, and independent', async () => {
    const disk = new MemoryDisk({ nowMs })
    const hands = memoryHands(disk)
    hands.mkdir('d')
    hands.write('d/f', 'x')
    hands.link('d/f', 'd/g')
    const clone = disk.clone()
    const before = clone.attach().lstat('d/f')
    expect(before).toEqual(disk.attach().lstat('d/f'))
    hands.append('d/f', 'y')
    const cloned = memoryHands(clone)
    expect(cloned.read('d/f')).toBe('x')
    cloned.append('d/f', 'z')
    expect(cloned.read('d/g')).toBe('xz')
    expect(hands.read('d/g')).toBe('xy')
    clone.crash(() => 0)
    expect(cloned.tree().size).toBe(0)
    expect(hands.tree().size).toBe(3)
  })

  test('a copy file by file has other inodes and birth times, but the same contents', () => {
    const disk = new MemoryDisk({ nowMs })
    const hands = memoryHands(disk)
    hands.write('f', 'x')
    hands.setMtime('f', 5)
    hands.write('z', 'later')
    const copy = disk.clone({ isCopied: true })
    const [was, is] = [disk.attach().lstat('f'), copy.attach().lstat('f')]
    expect(is?.birthtimeNs).not.toBe(was?.birthtimeNs)
    expect(is?.mtimeNs).toBe(was?.mtimeNs)
    copy.crash(() => 0)
    expect(memoryHands(copy).tree()).toEqual(hands.tree())
  })

  test('a number that is free again is soon another file’s', () => {
    const disk = new MemoryDisk({ nowMs })
    const hands = memoryHands(disk)
    hands.write('a', 'x')
    const before = disk.attach().lstat('a')
    hands.remove('a')
    disk.syncAll()
    hands.write('a', 'y')
    const after = disk.attach().lstat('a')
    expect(after?.inode).toBe(before?.inode)
    expect(after?.birthtimeNs).not.toBe(before?.birthtimeNs)
  })
})
