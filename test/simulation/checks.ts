import { isUnalteredCopy, originalOf } from '../../src/core/conflict.ts'
import { contentDigest, isLive } from '../../src/core/entry.ts'
import { formatDot } from '../../src/core/version-vector.ts'
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

/** A process ended that should not have, or did what it had to ask for (rule 19). */
export function failureOf(peers: readonly SimPeer[]): string | null {
  for (const { name, failures, brake, host } of peers) {
    if (failures.length > 0) return `${name} failed: ${failures.join('\n')}`
    const unasked = brake?.fault ?? null
    if (unasked !== null) return `${name}: ${unasked}`
    const decided = host.store.heldDeletes().find((path) => !isLive(host.store.get(path)?.entry))
    if (decided !== undefined) return `${name} holds back the delete of ${decided}, which is done`
  }
  return null
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
function differenceOf(peers: readonly SimPeer[]): string | null {
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

/** G13: of one write that lost a name there is one copy; of one that was touched meanwhile one for each time that it had. */
function surplusCopies(peers: readonly SimPeer[]): string | null {
  const copies = new Map<string, string>()
  for (const { entry } of peers[0]?.host.store.all() ?? []) {
    const { path, contentDot, mtimeUs } = entry
    if (!isUnalteredCopy(entry)) continue
    const key = [originalOf(path), contentDigest(entry), formatDot(contentDot), mtimeUs].join(' ')
    const other = copies.get(key)
    if (other !== undefined) return `${other} and ${path} are copies of the same`
    copies.set(key, path)
  }
  return null
}

function abridge(shown: string): string {
  return shown.length > 100 ? `${shown.slice(0, 60)}… (${shown.length})` : shown
}
