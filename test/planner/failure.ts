/**
 * - plan: a step could not be done on the disk, or came before one that it needs.
 * - lost: content that nobody gave up is nowhere, or not everywhere at the end.
 * - diverged: two peers differ at the end, or there is no end.
 * - wrong: the end is one that neither user would understand: a change that nobody opposed does not stand, a delete came back, a copy too many.
 */
export type FailureKind = 'plan' | 'lost' | 'diverged' | 'wrong'

/** Thrown by the disk and the checks; ends the schedule. */
export class Failure extends Error {
  readonly kind: FailureKind

  constructor(kind: FailureKind, what: string) {
    super(what)
    this.kind = kind
  }
}
