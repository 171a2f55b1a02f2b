/** What a user does on one member. Paths that do not fit what is there make it nothing. */
export type Deed =
  | {
      readonly kind: 'write'
      readonly path: string
      readonly style: WriteStyle
      readonly sizeBytes: number
    }
  | { readonly kind: 'burst'; readonly directory: string; readonly count: number }
  | { readonly kind: 'edit-copy'; readonly which: number }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'mkdir'; readonly path: string }
  | { readonly kind: 'symlink'; readonly path: string }
  | { readonly kind: 'chmod'; readonly path: string; readonly mode: number }
  | { readonly kind: 'touch'; readonly path: string; readonly mtimeMs: number }

/** How programs save: over the old bytes, emptying first, appending, or another file under the name. */
export type WriteStyle = 'in-place' | 'truncate' | 'append' | 'replace'

/** One thing that happens in a history. */
export type Step =
  | {
      readonly kind: 'deeds'
      readonly member: string
      readonly deeds: readonly Deed[]
      /** The member's process is suspended meanwhile. */
      readonly isFrozen: boolean
    }
  | { readonly kind: 'stop' | 'kill' | 'suspend' | 'run'; readonly member: string }
  | { readonly kind: 'cut' | 'heal'; readonly link: number }
  | { readonly kind: 'rest'; readonly ms: number }

/** A step on a line. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case 'deeds': {
      const frozen = step.isFrozen ? ' (suspended)' : ''
      return `${step.member}${frozen}: ${step.deeds.map((deed) => JSON.stringify(deed)).join(', ')}`
    }
    case 'cut':
    case 'heal':
      return `${step.kind} link ${step.link}`
    case 'rest':
      return `rest ${step.ms} ms`
    case 'stop':
    case 'kill':
    case 'suspend':
    case 'run':
      return `${step.kind} ${step.member}`
  }
}
