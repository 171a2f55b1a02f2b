import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createNarrator } from '../../src/cli/demo/narrator.ts'
import { type Item, readTree, type Tree } from '../../src/cli/demo/tree.ts'

type Look = Readonly<
  Record<string, readonly [text: string, changedMs: number, kind?: Item['kind']]>
>

function tree(look: Look): Tree {
  return new Map(
    Object.entries(look).map(([path, [fingerprint, changedMs, kind = 'file']]) => [
      path,
      { kind, fingerprint, changedMs },
    ]),
  )
}

/** Looks at both sides at the times given, then until everything is said; all lines. */
function told(
  start: readonly [Look, Look],
  steps: readonly (readonly [number, Look, Look])[],
): readonly string[] {
  const narrator = createNarrator(['A', 'B'], [tree(start[0]), tree(start[1])])
  const lines = steps.flatMap(([nowMs, a, b]) => narrator.look([tree(a), tree(b)], nowMs))
  const [lastMs, a, b] = steps.at(-1) ?? [0, {}, {}]
  return [...lines, ...narrator.look([tree(a), tree(b)], lastMs + 300)]
}

test('a file that appears on one side and then on the other', () => {
  expect(
    told(
      [{}, {}],
      [
        [1000, { 'a.txt': ['x', 995] }, {}],
        [1020, { 'a.txt': ['x', 995] }, { 'a.txt': ['x', 1013] }],
      ],
    ),
  ).toEqual(['a.txt appeared in A, and 18 ms later in B'])
})

test('both in one look: the file times tell who was first', () => {
  expect(told([{}, {}], [[1000, { 'a.txt': ['x', 999] }, { 'a.txt': ['x', 990] }]])).toEqual([
    'a.txt appeared in B, and 9 ms later in A',
  ])
})

test('a file written in steps counts from its last write', () => {
  expect(
    told(
      [{}, {}],
      [
        [1000, { a: ['', 995] }, {}],
        [1100, { a: ['xy', 1090] }, {}],
        [1120, { a: ['xy', 1090] }, { a: ['xy', 1102] }],
      ],
    ),
  ).toEqual(['a appeared in A, and 12 ms later in B'])
})

test('a change and a removal', () => {
  const start = { a: ['1', 1] } as const
  expect(
    told(
      [start, start],
      [
        [1000, start, { a: ['2', 990] }],
        [1030, { a: ['2', 1010] }, { a: ['2', 990] }],
      ],
    ),
  ).toEqual(['a changed in B, and 20 ms later in A'])
  expect(
    told(
      [start, start],
      [
        [1000, {}, start],
        [1050, {}, {}],
      ],
    ),
  ).toEqual(['a was deleted in A, and 50 ms later in B'])
  expect(told([start, start], [[1000, {}, {}]])).toEqual(['a was deleted in A, and at once in B'])
})

test('folders and links are called so', () => {
  expect(
    told(
      [{}, {}],
      [
        [
          1000,
          { d: ['f', 10, 'folder'], l: ['l', 10, 'link'] },
          { d: ['f', 30, 'folder'], l: ['l', 40, 'link'] },
        ],
      ],
    ),
  ).toEqual([
    'folder d appeared in A, and 20 ms later in B',
    'link l appeared in A, and 30 ms later in B',
  ])
})

test('what takes its time is told before it arrives, once', () => {
  const a = { big: ['x', 1000] } as const
  expect(
    told(
      [{}, {}],
      [
        [1000, a, {}],
        [2100, a, {}],
        [3000, a, {}],
        [4200, a, { big: ['x', 4200] }],
      ],
    ),
  ).toEqual(['big appeared in A; not in B yet', 'big appeared in A, and 3.2 s later in B'])
})

test('what comes and goes before the other side has it is not told', () => {
  expect(
    told(
      [{}, {}],
      [
        [1000, { tmp: ['x', 1000] }, {}],
        [1020, {}, {}],
      ],
    ),
  ).toEqual([])
})

test('a conflict copy is told as one', () => {
  const copy = 'notes.sync-conflict-20261123-100000-0123abcd.txt'
  expect(told([{}, {}], [[1000, { [copy]: ['x', 1] }, { [copy]: ['x', 2] }]])).toEqual([
    `both sides had changed the same file: the version that lost is kept as ${copy}`,
  ])
})

test('many at once are one line', () => {
  const many = (atMs: number): Look =>
    Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`f${index}`, ['x', atMs]]))
  expect(
    told(
      [{}, {}],
      [
        [1000, many(900), {}],
        [1100, many(900), many(1050)],
      ],
    ),
  ).toEqual(['500 entries appeared in A, and each at most 150 ms later in B'])
  expect(
    told(
      [{}, {}],
      [
        [1000, many(900), {}],
        [2500, many(900), {}],
      ],
    ),
  ).toEqual(['500 changes are on their way'])
})

test('names are shown so that they cannot move the cursor', () => {
  const name = Buffer.from('ä\u001B[2J').toString('latin1')
  expect(told([{}, {}], [[1000, { [name]: ['x', 1] }, { [name]: ['x', 1] }]])).toEqual([
    'ä\\x1b[2J appeared in A, and at once in B',
  ])
})

test('a tree is read with every kind and name, without .synd and what is no file', () => {
  const root = mkdtempSync(join(tmpdir(), 'synd-tree-'))
  try {
    mkdirSync(join(root, '.synd'))
    writeFileSync(join(root, '.synd', 'lock'), '')
    mkdirSync(join(root, 'dir', 'sub'), { recursive: true })
    writeFileSync(Buffer.concat([Buffer.from(`${root}/dir/`), Buffer.from([0xff, 0x0a])]), 'x')
    symlinkSync('nowhere', join(root, 'link'))
    const found = readTree(root)
    expect([...found].map(([path, { kind }]) => [path, kind]).sort()).toEqual([
      ['dir', 'folder'],
      ['dir/sub', 'folder'],
      ['dir/\u00FF\n', 'file'],
      ['link', 'link'],
    ])
    expect(readTree(join(root, 'gone')).size).toBe(0)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})
