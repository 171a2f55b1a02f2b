import { contentDigest, sameAnnounced, sameContent, sameEntry, type Entry } from './entry.ts'
import { mergeOver } from './merge.ts'
import {
  compareVectors,
  coversDot,
  dotsEqual,
  mergeVectors,
  withDot,
  type Dot,
  type VectorOrder,
} from './version-vector.ts'
import { compareForWinner } from './winner.ts'

/**
 * What this peer makes of another's version of a path.
 *
 * - keep: ours covers it; nothing to do, it counts as applied.
 * - await: ours wins a conflict; whoever holds the losing bytes resolves it (rule 4). Not applied yet.
 * - stamp: ours stays, as a new version over both.
 * - become: ours becomes `entry`. Content that is not ours yet is pulled. Where `loser` is set, its conflict copy is committed first.
 */
export type Decision =
  | { readonly kind: 'keep' }
  | { readonly kind: 'await' }
  | { readonly kind: 'stamp' }
  | {
      readonly kind: 'become'
      readonly entry: Entry
      readonly loser: Entry | null
      /** Both sides issued the same version for different content (rule 6): counted. */
      readonly isVersionReuse: boolean
    }

/** `unversioned`: ours was found while joining (rule 9). */
type Relation = VectorOrder | 'unversioned'
/** `metadata`: the same content, but mode, mtime or one of the dots differs. */
type Difference = 'none' | 'metadata' | 'content'
type Rule = 'keep' | 'take' | 'merge' | 'join' | 'conflict' | 'reuse'

/** Every pair of versions there can be, local first: `behind` means that theirs is newer. */
const rules: Readonly<Record<`${Relation}/${Difference}`, Rule>> = {
  'equal/none': 'keep',
  'equal/metadata': 'merge',
  'equal/content': 'reuse',
  'behind/none': 'take',
  'behind/metadata': 'take',
  'behind/content': 'take',
  'ahead/none': 'keep',
  'ahead/metadata': 'keep',
  'ahead/content': 'keep',
  'concurrent/none': 'merge',
  'concurrent/metadata': 'merge',
  'concurrent/content': 'conflict',
  'unversioned/none': 'take',
  'unversioned/metadata': 'take',
  'unversioned/content': 'join',
}

const keep: Decision = { kind: 'keep' }

/**
 * Rules 3 to 6 and 9 for one path: `local` is what our index holds (null: nothing), `remote` what a peer announced.
 * `hasCopyOf` says whether our own index has the conflict copy, or its tombstone, of that content.
 */
export function reconcile(
  local: Entry | null,
  remote: Entry,
  hasCopyOf: (loser: Entry) => boolean,
): Decision {
  if (local === null) return become(remote)
  const rule = rules[`${relationOf(local, remote)}/${differenceOf(local, remote)}`]
  switch (rule) {
    case 'keep':
      return keep
    case 'take':
      return become(remote)
    case 'merge':
      return merge(local, remote)
    case 'join':
      return join(local, remote)
    case 'conflict':
      return (
        settleByDots(local, remote) ??
        settleByWinner(local, remote, { hasCopyOf, isVersionReuse: false })
      )
    case 'reuse':
      // Two that joined may find each other's without a version: nothing was issued, so nothing was reused.
      return settleByWinner(local, remote, { hasCopyOf, isVersionReuse: local.version.size > 0 })
  }
}

/**
 * Rule M4: theirs stands though ours wins, for they announced it who take nothing; ours becomes a copy. The dot is of whoever decides so: somebody
 * else may have decided by rule 5, under the vector of both. Null: a directory stays what it is.
 */
export function giveWay(local: Entry, remote: Entry, dot: Dot): Decision | null {
  if (local.kind === 'directory') return null
  const version = withDot(mergeVectors(local.version, remote.version), dot)
  const entry = { ...remote, version, contentDot: dot, metadataDot: dot }
  const loser = local.kind === 'tombstone' ? null : local
  return { kind: 'become', entry, loser, isVersionReuse: false }
}

/**
 * The dots decide between the two (rule 3), and the side that gives way had met a third write that the other has not seen. Who meets the other and
 * that third write alone lets the third one stand, under the same vector: who merges these two has to add a dot of its own.
 */
export function hasMetAnother(local: Entry, remote: Entry): boolean {
  if (sameContent(local, remote)) return false
  if (compareVectors(local.version, remote.version) !== 'concurrent') return false
  const localSaw = coversDot(local.version, remote.contentDot)
  if (localSaw === coversDot(remote.version, local.contentDot)) return false
  const [stands, other] = localSaw ? [local, remote] : [remote, local]
  return [...other.version].some(([peer, counter]) => {
    const dot = { peer, counter }
    return !coversDot(stands.version, dot) && !dotsEqual(dot, other.metadataDot)
  })
}

/** Rule M7: who resolves nothing goes over to the winner as it was announced. */
export function goOver(decision: Decision, remote: Entry): Decision {
  const isResolving = decision.kind === 'become' && decision.loser !== null
  return isResolving ? { ...decision, entry: remote } : decision
}

function relationOf(local: Entry, remote: Entry): Relation {
  if (local.version.size === 0 && remote.version.size > 0) return 'unversioned'
  return compareVectors(local.version, remote.version)
}

function differenceOf(local: Entry, remote: Entry): Difference {
  if (!sameContent(local, remote)) return 'content'
  return sameAnnounced(local, remote) ? 'none' : 'metadata'
}

function become(entry: Entry): Decision {
  return { kind: 'become', entry, loser: null, isVersionReuse: false }
}

/** Rules 5 and 6: the same content. Where ours is what comes of it, theirs has to follow. */
function merge(local: Entry, remote: Entry): Decision {
  const entry = mergeOver(local, remote)
  return sameEntry(entry, local) ? keep : become(entry)
}

/** Rule 3: the side that has seen the other's write stands, without a copy. Null: neither or both have. */
function settleByDots(local: Entry, remote: Entry): Decision | null {
  const localSaw = coversDot(local.version, remote.contentDot)
  const remoteSaw = coversDot(remote.version, local.contentDot)
  if (localSaw === remoteSaw) return null
  return become(localSaw ? mergeOver(local, remote) : mergeOver(remote, local))
}

/**
 * Rule 4: only who holds the losing bytes resolves; a losing tombstone has none and needs no copy. The winner's content stands; a mode that
 * the winner's side did not know of stands too, as without a conflict.
 */
function settleByWinner(
  local: Entry,
  remote: Entry,
  options: { hasCopyOf: (loser: Entry) => boolean; isVersionReuse: boolean },
): Decision {
  const { hasCopyOf, isVersionReuse } = options
  if (compareForWinner(local, remote) >= 0) {
    if (!hasCopyOf(remote)) return { kind: 'await' }
    const entry = mergeOver(local, remote)
    return sameEntry(entry, local) ? keep : { kind: 'become', entry, loser: null, isVersionReuse }
  }
  const loser = local.kind === 'tombstone' ? null : local
  return { kind: 'become', entry: mergeOver(remote, local), loser, isVersionReuse }
}

/** Rule 9: other content under a name that we found while joining. */
function join(local: Entry, remote: Entry): Decision {
  if (remote.kind !== 'tombstone') {
    const loser = local.kind === 'directory' || local.kind === 'tombstone' ? null : local
    return { kind: 'become', entry: remote, loser, isVersionReuse: false }
  }
  const digest = contentDigest(local)
  const isTheDeletedOne = local.kind === remote.removedKind && digest === remote.removedDigest
  return isTheDeletedOne ? become(remote) : { kind: 'stamp' }
}
