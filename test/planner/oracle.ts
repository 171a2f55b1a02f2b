import { isConflictCopy } from '../../src/core/conflict.ts'
import { ancestorsOf, isBelow, type RelativePath } from '../../src/core/relative-path.ts'
import { Failure } from './failure.ts'
import { contentOf, isSame, isSameContent, show, type Node, type Tree } from './tree.ts'

/** What one of the two users made of the tree. */
export interface Doing {
  readonly end: Tree
  /** How often it was announced as changed, also where it is as before in the end. */
  readonly touched: ReadonlyMap<RelativePath, number>
}

/** What was there before, and what each of the two users did. */
export interface Truth {
  readonly base: Tree
  readonly doings: readonly [Doing, Doing]
}

/** Contents that nobody gave up: what a user wrote, and what neither changed. */
export function wantedOf({ base, doings }: Truth): Set<string> {
  const wanted = new Set<string>()
  for (const { end } of doings) {
    for (const [path, node] of end) {
      const isWritten = !isSameContent(node, base.get(path))
      const isKept = doings.every((other) => isSameContent(other.end.get(path), node))
      if (node.kind !== 'directory' && (isWritten || isKept)) wanted.add(contentOf(node))
    }
  }
  return wanted
}

/** What holds of the tree that all have in the end. */
export function checkEnd(truth: Truth, end: Tree): void {
  const held = new Set([...end.values()].map(contentOf))
  for (const content of wantedOf(truth)) {
    if (!held.has(content)) throw new Failure('lost', `${content} is not in the end`)
  }
  const { base, doings } = truth
  for (const path of new Set(
    [base, ...doings.map((one) => one.end)].flatMap((tree) => [...tree.keys()]),
  ))
    checkPath(path, truth, end)
  checkNames(truth, end)
}

function checkPath(path: RelativePath, { base, doings }: Truth, end: Tree): void {
  const [one, other] = doings
  const [before, now] = [base.get(path), end.get(path)]
  if (!one.touched.has(path) && !other.touched.has(path) && !isSame(now, before))
    throw wrong(path, now, `nobody touched it, and it was ${show(before)}`)
  checkUnopposed(path, { mine: one, theirs: other, now })
  checkUnopposed(path, { mine: other, theirs: one, now })
  if (isTouchedAbove(path, one) || isTouchedAbove(path, other)) return
  const [a, b] = [one.end.get(path), other.end.get(path)]
  const edit = a === undefined ? b : b === undefined ? a : undefined
  if (edit !== undefined && !isSameContent(edit, before) && !isSameContent(now, edit))
    throw wrong(path, now, `it was deleted, but also written: ${show(edit)}`)
  if (a?.kind !== 'file' || b?.kind !== 'file') return
  // Whoever announced it twice may have set the mode there and back.
  if (one.touched.get(path) === 1 && other.touched.get(path) === 1) {
    checkMode(path, { before, mine: a, theirs: b, now })
    checkMode(path, { before, mine: b, theirs: a, now })
  }
  const isContested = !isSameContent(a, before) && !isSameContent(b, before) && !isSameContent(a, b)
  const later = a.mtimeUs > b.mtimeUs ? a : b
  if (isContested && a.mtimeUs !== b.mtimeUs && !isSameContent(now, later))
    throw wrong(path, now, `the later one was ${show(later)}`)
}

/** Where the other did nothing, everything is as this one left it: what was deleted stays deleted. */
function checkUnopposed(
  path: RelativePath,
  { mine, theirs, now }: { mine: Doing; theirs: Doing; now: Node | undefined },
): void {
  const wanted = mine.end.get(path)
  if (!isNear(path, theirs) && !isSame(now, wanted))
    throw wrong(path, now, `nobody else touched it, and it was ${show(wanted)}`)
}

/** Where only they wrote, their content stands, with a mode that only we set. */
function checkMode(
  path: RelativePath,
  {
    before,
    mine,
    theirs,
    now,
  }: { before: Node | undefined; mine: Node; theirs: Node; now: Node | undefined },
): void {
  if (before?.kind !== 'file' || !isSameContent(mine, before) || isSameContent(theirs, before))
    return
  if (!isSameContent(now, theirs)) throw wrong(path, now, `only ${show(theirs)} was written`)
  const isModeMine = theirs.mode === before.mode && mine.mode !== before.mode
  if (isModeMine && now?.mode !== mine.mode)
    throw wrong(path, now, `mode ${mine.mode.toString(8)} is lost`)
}

/** Nothing came from nowhere; each loser has one copy, and nothing else has. */
function checkNames({ doings }: Truth, end: Tree): void {
  const written = new Set(doings.flatMap((one) => [...one.end.values()].map(contentOf)))
  const copies = new Set<string>()
  for (const [path, node] of end) {
    if (isConflictCopy(path)) {
      const of = path.replace(/\.sync-conflict-[\d-]{15}-[\da-f]{8}/, '')
      const what = `${contentOf(node)} of ${of}`
      if (copies.has(what)) throw new Failure('wrong', `two copies of ${what}`)
      if (!written.has(contentOf(node)))
        throw new Failure('wrong', `a copy of ${what}, which nobody wrote`)
      copies.add(what)
    } else if (doings.every((one) => !one.end.has(path))) {
      const isNeeded =
        node.kind === 'directory' && [...end.keys()].some((other) => isBelow(other, path))
      if (!isNeeded) throw wrong(path, node, 'neither had it')
    }
  }
  const contested = contestedOf(doings)
  if (copies.size > contested.size)
    throw new Failure('wrong', `${copies.size} copies of ${contested.size} names that both wanted`)
}

/** Names of files and links of one that the other did something about. */
function contestedOf([one, other]: Truth['doings']): Set<RelativePath> {
  const contested = new Set<RelativePath>()
  for (const [mine, theirs] of [
    [one, other],
    [other, one],
  ] as const) {
    for (const path of mine.touched.keys()) {
      const kind = mine.end.get(path)?.kind
      if (kind !== undefined && kind !== 'directory' && isNear(path, theirs)) contested.add(path)
    }
  }
  return contested
}

/** Whether that user touched the path, something above it or something below it. */
function isNear(path: RelativePath, doing: Doing): boolean {
  if (doing.touched.has(path) || isTouchedAbove(path, doing)) return true
  for (const other of doing.touched.keys()) if (isBelow(other, path)) return true
  return false
}

function isTouchedAbove(path: RelativePath, { touched }: Doing): boolean {
  return ancestorsOf(path).some((above) => touched.has(above))
}

function wrong(path: RelativePath, now: Node | undefined, why: string): Failure {
  return new Failure('wrong', `${path} is ${show(now)}: ${why}`)
}
