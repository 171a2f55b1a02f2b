import { CredentialSource } from '../../src/identity/credential-source.ts'
import type { PublicKey } from '../../src/identity/public-key.ts'
import type { Member } from './certificates.ts'

/** The authorized keys of a test. */
export class Trusted {
  keys: readonly PublicKey[]
  #listeners: (() => void)[] = []
  constructor(...members: readonly Member[]) {
    this.keys = members.map((member) => member.key)
  }
  current(): readonly PublicKey[] {
    return this.keys
  }
  onChange(listener: () => void): () => void {
    this.#listeners.push(listener)
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener)
    }
  }
  change(...members: readonly Member[]): void {
    this.keys = members.map((member) => member.key)
    for (const listener of this.#listeners) listener()
  }
}

/** Credentials of `member`, started. */
export async function sourceOf(
  member: Member,
  trusted: Trusted,
  nowMs: () => number = Date.now,
): Promise<CredentialSource> {
  const source = new CredentialSource({
    privateKey: member.privateKey,
    trusted,
    log: () => {},
    nowMs,
  })
  await source.start()
  return source
}
