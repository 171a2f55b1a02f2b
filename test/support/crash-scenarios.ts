import type { LiveEntry } from '../../src/core/entry.ts'
import type { Observation } from '../../src/core/observation.ts'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import type { Change } from '../../src/engine/ports.ts'
import type { SyndVolume } from '../../src/volume/volume.ts'
import type { Hands } from './hands.ts'
import type { AttachOptions } from './memory-disk-attached.ts'
import { directoryEntry, fileEntry, someMtimeUs, staged, symlinkEntry } from './volume-fixture.ts'

/** One change upon what `before` made; at `d/p` stands `old` before it and `now` after it. */
export interface Scenario {
  readonly title: string
  readonly before: (hands: Hands) => void
  readonly change: (volume: SyndVolume, expected: Observation | null) => Promise<Change>
  readonly old: string | undefined
  readonly now: string | undefined
  /** No call replaces a directory by something else: an empty directory may be gone for a moment. */
  readonly mayBeAbsent?: boolean
  readonly attach?: AttachOptions
}

/** Where everything happens. */
export const path = 'd/p'
export const writeOld = (hands: Hands): void => hands.write(path, 'old')
const makeOld = (hands: Hands): void => hands.mkdir(path)
const linkOld = (hands: Hands): void => hands.symlink('old', path)
const nothing = (): void => undefined

export const publish: Scenario['change'] = async (volume, expected) => {
  const entry = fileEntry(path, 'new', { mode: 0o640 })
  const stage = await staged(volume, 'new', { mode: 0o640, mtimeUs: someMtimeUs })
  return { kind: 'publish', entry, stage, expected }
}
const publishUndressed: Scenario['change'] = async (volume, expected) => {
  const stage = await staged(volume, 'new')
  return { kind: 'publish', entry: fileEntry(path, 'new', { mode: 0o640 }), stage, expected }
}
/** Makes what the entry says. */
export const make =
  (entry: LiveEntry): Scenario['change'] =>
  async (_volume, expected) => ({ kind: 'make', entry, expected })
const set =
  (entry: LiveEntry): Scenario['change'] =>
  async (_volume, expected) => ({ kind: 'set-metadata', entry, expected: demand(expected) })
export const remove: Scenario['change'] = async (_volume, expected) => ({
  kind: 'remove',
  path: parseRelativePath(path),
  expected: demand(expected),
})
/** Modes bind the process, as they bind who is not root. */
export const readOnly: AttachOptions = { enforcesModes: true }
const inReadOnly =
  (before: (hands: Hands) => void) =>
  (hands: Hands): void => {
    before(hands)
    hands.chmod('d', 0o555)
  }
const noLinks: AttachOptions = {
  refuse: ({ operation }) => (operation === 'link' ? 'EPERM' : null),
}

export const scenarios: readonly Scenario[] = [
  { title: 'a new file', before: nothing, change: publish, old: undefined, now: 'f 640 new' },
  {
    title: 'a new file whose mode came late',
    before: nothing,
    change: publishUndressed,
    old: undefined,
    now: 'f 640 new',
  },
  {
    title: 'a file over a file',
    before: writeOld,
    change: publish,
    old: 'f 644 old',
    now: 'f 640 new',
  },
  {
    title: 'a file over a file without links',
    before: writeOld,
    change: publish,
    old: 'f 644 old',
    now: 'f 640 new',
    attach: noLinks,
  },
  {
    title: 'a file over a symlink',
    before: linkOld,
    change: publish,
    old: 'l old',
    now: 'f 640 new',
  },
  {
    title: 'a file over a directory',
    before: makeOld,
    change: publish,
    old: 'd 755',
    now: 'f 640 new',
    mayBeAbsent: true,
  },
  {
    title: 'a symlink',
    before: nothing,
    change: make(symlinkEntry(path, 'new')),
    old: undefined,
    now: 'l new',
  },
  {
    title: 'a symlink over a file',
    before: writeOld,
    change: make(symlinkEntry(path, 'new')),
    old: 'f 644 old',
    now: 'l new',
  },
  {
    title: 'a symlink over a symlink',
    before: linkOld,
    change: make(symlinkEntry(path, 'new')),
    old: 'l old',
    now: 'l new',
  },
  {
    title: 'a symlink over a directory',
    before: makeOld,
    change: make(symlinkEntry(path, 'new')),
    old: 'd 755',
    now: 'l new',
    mayBeAbsent: true,
  },
  {
    title: 'a directory',
    before: nothing,
    change: make(directoryEntry(path, 0o750)),
    old: undefined,
    now: 'd 750',
  },
  {
    title: 'a directory over a file',
    before: writeOld,
    change: make(directoryEntry(path, 0o750)),
    old: 'f 644 old',
    now: 'd 750',
  },
  {
    title: 'a directory over a symlink',
    before: linkOld,
    change: make(directoryEntry(path, 0o750)),
    old: 'l old',
    now: 'd 750',
  },
  { title: 'a removed file', before: writeOld, change: remove, old: 'f 644 old', now: undefined },
  { title: 'a removed symlink', before: linkOld, change: remove, old: 'l old', now: undefined },
  { title: 'a removed directory', before: makeOld, change: remove, old: 'd 755', now: undefined },
  {
    title: 'a mode',
    before: writeOld,
    change: set(fileEntry(path, 'old', { mode: 0o600 })),
    old: 'f 644 old',
    now: 'f 600 old',
  },
  {
    title: 'a mode of a directory',
    before: makeOld,
    change: set(directoryEntry(path, 0o700)),
    old: 'd 755',
    now: 'd 700',
  },
  {
    title: 'a new file in a read-only directory',
    before: inReadOnly(nothing),
    change: publish,
    old: undefined,
    now: 'f 640 new',
    attach: readOnly,
  },
  {
    title: 'a file over a file in a read-only directory',
    before: inReadOnly(writeOld),
    change: publish,
    old: 'f 644 old',
    now: 'f 640 new',
    attach: readOnly,
  },
  {
    title: 'a directory over a file in a read-only directory',
    before: inReadOnly(writeOld),
    change: make(directoryEntry(path, 0o750)),
    old: 'f 644 old',
    now: 'd 750',
    attach: readOnly,
  },
  {
    title: 'a removed file in a read-only directory',
    before: inReadOnly(writeOld),
    change: remove,
    old: 'f 644 old',
    now: undefined,
    attach: readOnly,
  },
]

/** What is there; throws when nothing is. */
function demand(expected: Observation | null): Observation {
  if (expected === null) throw new Error('nothing there')
  return expected
}
