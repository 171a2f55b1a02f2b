import { ancestorsOf, isBelow, type RelativePath } from '../../src/core/relative-path.ts'
import { path } from '../engine/parts.ts'

/** What a user sees of a path. Content is a number: equal numbers of one kind are equal bytes. */
export type Node =
  | ({ readonly kind: 'file' | 'symlink'; readonly content: number } & Metadata)
  | ({ readonly kind: 'directory' } & Metadata)

interface Metadata {
  readonly mode: number
  readonly mtimeUs: number
}

export type Tree = Map<RelativePath, Node>

/** One thing that a user does. What cannot be done does nothing, so that any part of some edits is edits too. */
export type Edit =
  | ({ readonly do: 'write' | 'link'; readonly at: number; readonly content: number } & Metadata)
  | ({ readonly do: 'mkdir'; readonly at: number } & Metadata)
  | { readonly do: 'remove'; readonly at: number }
  | { readonly do: 'rename' | 'exchange'; readonly at: number; readonly to: number }
  | { readonly do: 'chmod'; readonly at: number; readonly mode: number }
  | { readonly do: 'touch'; readonly at: number; readonly mtimeUs: number }

/** Few names, so that two who know nothing of each other meet. */
export const places: readonly RelativePath[] = [
  'a',
  'b',
  'c',
  'a/a',
  'a/b',
  'b/a',
  'c/d',
  'a/a/a',
  'a/a/b',
  'b/a/b',
].map(path)

export function perform(tree: Tree, edit: Edit): void {
  const at = placeOf(edit.at)
  switch (edit.do) {
    case 'write':
    case 'link': {
      const kind = edit.do === 'write' ? 'file' : 'symlink'
      const { content, mode, mtimeUs } = edit
      return put(tree, at, { kind, content, mode: kind === 'file' ? mode : 0o777, mtimeUs })
    }
    case 'mkdir':
      if (tree.get(at)?.kind === 'directory') return
      return put(tree, at, { kind: 'directory', mode: edit.mode | 0o700, mtimeUs: edit.mtimeUs })
    case 'remove':
      return remove(tree, at)
    case 'rename':
      return rename(tree, at, placeOf(edit.to))
    case 'exchange':
      return exchange(tree, at, placeOf(edit.to))
    case 'chmod':
    case 'touch': {
      const node = tree.get(at)
      if (node === undefined || node.kind === 'symlink') return
      tree.set(
        at,
        edit.do === 'chmod' ? { ...node, mode: edit.mode } : { ...node, mtimeUs: edit.mtimeUs },
      )
    }
  }
}

export function placeOf(number: number): RelativePath {
  return places[number % places.length] ?? path('a')
}

/** Whatever is in the way gives way; the directories above are made. */
function put(tree: Tree, at: RelativePath, node: Node): void {
  for (const ancestor of ancestorsOf(at)) {
    if (tree.get(ancestor)?.kind === 'directory') continue
    tree.set(ancestor, { kind: 'directory', mode: 0o755, mtimeUs: 0 })
  }
  remove(tree, at)
  tree.set(at, node)
}

function remove(tree: Tree, at: RelativePath): void {
  for (const path of tree.keys()) if (path === at || isBelow(path, at)) tree.delete(path)
}

function rename(tree: Tree, from: RelativePath, to: RelativePath): void {
  const node = tree.get(from)
  if (node === undefined || to === from || isBelow(to, from) || isBelow(from, to)) return
  const moved = [...tree].filter(([path]) => path === from || isBelow(path, from))
  remove(tree, from)
  put(tree, to, node)
  for (const [path, below] of moved) tree.set(moveTo(path, { from, to }), below)
}

function exchange(tree: Tree, one: RelativePath, other: RelativePath): void {
  const [a, b] = [tree.get(one), tree.get(other)]
  if (a?.kind !== 'file' || b?.kind !== 'file') return
  tree.set(one, b)
  tree.set(other, a)
}

function moveTo(
  at: RelativePath,
  { from, to }: { from: RelativePath; to: RelativePath },
): RelativePath {
  return path(to + at.slice(from.length))
}

/** Two nodes that nobody can tell apart; a directory's mtime does not count (rule 12). */
export function isSame(a: Node | undefined, b: Node | undefined): boolean {
  return isSameContent(a, b) && isSameMetadata(a, b)
}

export function isSameContent(a: Node | undefined, b: Node | undefined): boolean {
  return contentOf(a) === contentOf(b)
}

function isSameMetadata(a: Node | undefined, b: Node | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  if (a.kind === 'symlink') return true
  return a.mode === b.mode && (a.kind === 'directory' || a.mtimeUs === b.mtimeUs)
}

/** The kind and the bytes, as a text. */
export function contentOf(node: Node | undefined): string {
  if (node === undefined) return 'nothing'
  return node.kind === 'directory' ? 'directory' : `${node.kind} ${node.content}`
}

export function show(node: Node | undefined): string {
  if (node === undefined) return 'nothing'
  return `${contentOf(node)} (${node.mode.toString(8)}, ${node.mtimeUs} us)`
}
