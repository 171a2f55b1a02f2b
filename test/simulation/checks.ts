import { isConflictCopy } from '../../src/core/conflict.ts'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import { isIgnoredBy } from '../../src/core/ignore.ts'
import { parseIgnoreRules } from '../../src/volume/ignore-file.ts'
import { contentOf, contentsOn } from './contents.ts'
import { ignoreFile } from './deeds-ignore.ts'
import { unequalIndexes } from './invariants.ts'
import type { SimPeer } from './sim-peer.ts'
import type { Values } from './values.ts'

/** What must hold at every moment: nothing that anybody still wants is gone everywhere. In words what does not hold, or null. */
export function lossAnywhere(peers: readonly SimPeer[], values: Values): string | null {
  const found = new Set(peers.flatMap(({ hands }) => contentsOn(hands)))
  const missing = values.missingFrom(found)
  return missing.length === 0 ? null : `nowhere any more: ${missing.join(', ')}`
}

/** A process ended that should not have. */
export function failureOf(peers: readonly SimPeer[]): string | null {
  const failed = peers.find(({ failures }) => failures.length > 0)
  return failed === undefined ? null : `${failed.name} failed: ${failed.failures.join('\n')}`
}

/** What holds once everybody says that he is in sync. */
export function faultAtRest(peers: readonly SimPeer[], values: Values): string | null {
  return (
    differenceOf(peers) ??
    unequalIndexes(peers) ??
    lossAtRest(peers, values) ??
    digestFault(peers) ??
    surplusCopies(peers)
  )
}

/** Two trees that differ, or null. */
export function differenceOf(peers: readonly SimPeer[]): string | null {
  const [first, ...others] = peers
  if (first === undefined) return null
  const tree = syncedTreeOf(first)
  const other = others.find((one) => syncedTreeOf(one) !== tree)
  return other === undefined ? null : `the trees of ${first.name} and ${other.name} differ`
}

export function treeOf({ hands }: SimPeer): string {
  return [...hands.tree()].map(([path, shown]) => `  ${path}: ${abridge(shown)}`).join('\n')
}

/** What of the tree is synced: neither ignored, nor a directory that stays for what is (rule 14). */
export function syncedTreeOf({ hands, engine }: SimPeer): string {
  const rules = parseIgnoreRules(hands.read(ignoreFile) ?? '')
  const problems = engine?.status().problems ?? []
  const leftovers = problems.filter(({ code }) => code === 'leftover').map(({ path }) => path)
  return [...hands.tree()]
    .filter(
      ([path, shown]) =>
        !isIgnoredBy(rules, parseRelativePath(path), shown.startsWith('d ')) &&
        !leftovers.includes(path),
    )
    .map(([path, shown]) => `  ${path}: ${abridge(shown)}`)
    .join('\n')
}

function lossAtRest(peers: readonly SimPeer[], values: Values): string | null {
  for (const { name, hands } of peers) {
    const found = [...hands.tree().values()].map(contentOf).filter((one) => one !== null)
    const missing = values.missingFrom(new Set(found))
    if (missing.length > 0) return `${name} lost ${missing.join(', ')}`
  }
  return null
}

function digestFault(peers: readonly SimPeer[]): string | null {
  const digests = new Set(peers.map(({ engine }) => engine?.status().volume.treeDigest))
  return digests.size > 1 ? 'equal trees have different digests' : null
}

/** G13: a conflict copy once, and never more copies than conflicts. */
function surplusCopies(peers: readonly SimPeer[]): string | null {
  const copies = [...(peers[0]?.hands.tree().keys() ?? [])].filter((path) =>
    isConflictCopy(parseRelativePath(path)),
  ).length
  const conflicts = peers.reduce((sum, peer) => sum + peer.conflicts, 0)
  return copies > conflicts + peers.length
    ? `${copies} conflict copies of ${conflicts} conflicts`
    : null
}

function abridge(shown: string): string {
  return shown.length > 100 ? `${shown.slice(0, 60)}… (${shown.length})` : shown
}
