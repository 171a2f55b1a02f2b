import { contentDigest, type Entry } from '../../src/core/entry.ts'
import type { Dot } from '../../src/core/version-vector.ts'
import type { Store } from '../../src/engine/ports.ts'

/** For people who read a failure: what an index holds of each path, and what peers announced of it. */
export function knownBy(store: Store): string {
  const lines: string[] = []
  const paths = new Set<string>()
  for (const { entry, sequence } of store.all()) {
    paths.add(entry.path)
    lines.push(`  ${entry.path} #${sequence} ${versionOf(entry)}`)
    for (const { peer, sequence: at, entry: announced } of store.remote(entry.path))
      lines.push(`    told by ${peer.slice(0, 4)} #${at} ${versionOf(announced)}`)
  }
  return lines.join('\n')
}

/** An entry in words: all of it that is compared. */
export function versionOf(entry: Entry): string {
  const { kind, version, contentDot } = entry
  const seen = [...version].map(([peer, counter]) => `${peer.slice(0, 4)}:${counter}`).join(' ')
  return `${kind} ${contentDigest(entry)?.slice(0, 4) ?? ''} {${seen}} content ${shortDot(contentDot)} metadata ${shortDot(entry.metadataDot)} ${entry.mode.toString(8)} ${entry.mtimeUs}`
}

function shortDot({ peer, counter }: Dot): string {
  return `${peer.slice(0, 4)}:${counter}`
}
