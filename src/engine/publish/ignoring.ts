import { isLive } from '../../core/entry.ts'
import { ignoreFilePath, isIgnoredBy, nothingIgnored, type IgnoreRules } from '../../core/ignore.ts'
import { sameObservation, type Observation } from '../../core/observation.ts'
import type { RelativePath } from '../../core/relative-path.ts'
import type { Ledger } from '../ledger.ts'
import type { Observer, Store, Volume } from '../ports.ts'
import type { Inbox } from '../pull/inbox.ts'
import type { Sha256 } from '../../core/digest.ts'
import type { Serial } from '../serial.ts'

/** Forgotten in one commit. */
const forgetAtOnce = 1_000

export interface IgnoringParts {
  readonly store: Store
  readonly volume: Volume
  readonly ledger: Ledger
  readonly serial: Serial
  readonly inbox: Inbox
  readonly observer: Observer
  readonly sha256: Sha256
  /** What others have under names that are ignored no more must be told anew, and what is found there is as found in joining. */
  readonly rejoin: () => void
}

/**
 * Which paths are not synced (rule 14). The file on the disk counts, whoever put it there: it is looked at before each round, so that what a
 * person deletes after ignoring it is no delete.
 */
export class Ignoring {
  readonly #parts: IgnoringParts
  #rules: IgnoreRules = nothingIgnored
  /** What the rules were read from (null: no file); undefined: they were not read yet. */
  #readFrom: Observation | null | undefined = undefined

  constructor(parts: IgnoringParts) {
    this.#parts = parts
  }

  isIgnored(path: RelativePath, isDirectory: boolean): boolean {
    return isIgnoredBy(this.#rules, path, isDirectory)
  }

  /**
   * Reads the file where it is another than before. `changed`: the whole volume is to be looked at. `failed`: nobody knows what is ignored;
   * nothing may be looked at.
   */
  async refresh(): Promise<'same' | 'changed' | { readonly failed: string }> {
    const { volume, observer, serial } = this.#parts
    const look = volume.look(ignoreFilePath)
    if (look.kind === 'unreadable') return { failed: look.message }
    const seen = look.kind === 'present' ? look.observation : null
    if (this.#readFrom !== undefined && isSame(this.#readFrom, seen)) return 'same'
    const rules = await volume.readIgnoreRules()
    if (typeof rules === 'string') return { failed: rules }
    const isFirst = this.#readFrom === undefined
    this.#readFrom = seen
    if (!isFirst && rules.text === this.#rules.text) return 'same'
    await serial.run(async () => {
      // Where a peer's was put there, that came of it when it was recorded.
      if (this.#isNews(rules)) this.#parts.rejoin()
      this.#rules = rules
      this.#forgetIgnored()
    })
    if (!isFirst) observer.log('info', 'what is ignored has changed', { bytes: rules.text.length })
    return 'changed'
  }

  /** What is at the path, and below it, leaves the index without a tombstone; in the serial loop. */
  forgetTree(path: RelativePath): void {
    const { store } = this.#parts
    const paths = [path]
    for (const directory of paths)
      paths.push(...store.children(directory).map(({ entry }) => entry.path))
    this.#forget(paths)
  }

  /** Whether the index does not know this of the file. */
  #isNews({ text }: IgnoreRules): boolean {
    const entry = this.#parts.store.get(ignoreFilePath)?.entry
    const known = entry?.kind === 'file' ? entry.digest : null
    return known !== (text === '' ? null : this.#parts.sha256(text))
  }

  /** What became ignored leaves the index without a tombstone. */
  #forgetIgnored(): void {
    const { store } = this.#parts
    const ignored: RelativePath[] = []
    for (const { entry } of store.all()) {
      if (isLive(entry) && this.isIgnored(entry.path, entry.kind === 'directory'))
        ignored.push(entry.path)
    }
    for (let start = 0; start < ignored.length; start += forgetAtOnce)
      this.#forget(ignored.slice(start, start + forgetAtOnce))
  }

  #forget(paths: readonly RelativePath[]): void {
    this.#parts.ledger.forget(paths)
    for (const path of paths) this.#parts.inbox.add(path)
  }
}

function isSame(a: Observation | null, b: Observation | null): boolean {
  return a === null || b === null ? a === b : sameObservation(a, b)
}
