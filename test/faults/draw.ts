import type { Random } from '../support/random.ts'
import type { Deed, Step, WriteStyle } from './steps.ts'

const directories = ['', 'd0/', 'd1/', 'd0/d2/']
const names = ['a', 'b.txt', 'c', 'e.tar.gz', 'f f', 'g', 'h', 'i', 'j', 'k']
const styles: readonly WriteStyle[] = ['in-place', 'truncate', 'append', 'replace']
const modes = [0o600, 0o644, 0o755, 0o640, 0o700]

/** Long ago and a day ahead: whose version wins depends on it. */
const times = [Date.UTC(2001, 1, 3), Date.UTC(2026, 0, 1), Date.UTC(2027, 0, 1)]

/** The steps between two moments of rest. */
export function drawSteps(
  random: Random,
  world: { readonly members: readonly string[]; readonly links: number },
): Step[] {
  const hot = Array.from({ length: 4 }, () => drawPath(random))
  const count = 8 + random.below(18)
  return Array.from({ length: count }, () =>
    random.isLikely(0.08) ? drawStorm(random, world) : [drawStep(random, world, hot)],
  ).flat()
}

/** All write one path, in the middle of each other's news; then somebody may be killed. Another path each time: rule 8 slows down who fights on. */
function drawStorm(random: Random, { members }: { readonly members: readonly string[] }): Step[] {
  const path = `${random.pick(directories)}storm${random.below(1e6)}`
  const steps = Array.from({ length: 6 + random.below(9) }, (): Step[] => {
    const member = random.pick(members)
    const style = random.pick(styles)
    const deeds: Deed[] = [{ kind: 'write', path, style, sizeBytes: random.below(4000) }]
    const wrote: Step = { kind: 'deeds', member, deeds, isFrozen: random.isLikely(0.3) }
    return random.isLikely(0.4) ? [wrote, { kind: 'rest', ms: 10 + random.below(200) }] : [wrote]
  }).flat()
  return random.isLikely(0.4) ? [...steps, { kind: 'kill', member: random.pick(members) }] : steps
}

function drawStep(
  random: Random,
  { members, links }: { readonly members: readonly string[]; readonly links: number },
  hot: readonly string[],
): Step {
  const member = random.pick(members)
  const dice = random.below(100)
  if (dice < 58) {
    const deeds = Array.from({ length: 1 + random.below(4) }, () => drawDeed(random, hot))
    return { kind: 'deeds', member, deeds, isFrozen: random.isLikely(0.4) }
  }
  if (dice < 64) return { kind: 'stop', member }
  if (dice < 71) return { kind: 'kill', member }
  if (dice < 77) return { kind: 'suspend', member }
  if (dice < 85) return { kind: 'run', member }
  if (dice < 90) return { kind: 'cut', link: random.below(links) }
  if (dice < 93) return { kind: 'heal', link: random.below(links) }
  return { kind: 'rest', ms: random.pick([10, 50, 200, 700]) }
}

function drawDeed(random: Random, hot: readonly string[]): Deed {
  const path = random.isLikely(0.6) ? random.pick(hot) : drawPath(random)
  const dice = random.below(100)
  if (dice < 45) {
    const style = random.pick(styles)
    const isLarge = random.isLikely(0.05)
    const sizeBytes = isLarge ? 300_000 + random.below(300_000) : random.below(4000)
    return { kind: 'write', path, style, sizeBytes }
  }
  if (dice < 50)
    return { kind: 'burst', directory: `burst${random.below(1e6)}`, count: 20 + random.below(60) }
  if (dice < 54) return { kind: 'edit-copy', which: random.below(100) }
  if (dice < 66) return { kind: 'remove', path: orDirectory(random, path) }
  if (dice < 78) return { kind: 'rename', from: orDirectory(random, path), to: drawPath(random) }
  if (dice < 85) return { kind: 'mkdir', path: random.pick(['d0', 'd1', 'd0/d2', path]) }
  if (dice < 89) return { kind: 'symlink', path }
  if (dice < 95) return { kind: 'chmod', path: orDirectory(random, path), mode: random.pick(modes) }
  return { kind: 'touch', path, mtimeMs: random.pick(times) + random.below(1e9) }
}

function drawPath(random: Random): string {
  return random.pick(directories) + random.pick(names)
}

/** Now and then a directory, with all that is in it. */
function orDirectory(random: Random, path: string): string {
  return random.isLikely(0.2) ? random.pick(['d0', 'd1', 'd0/d2']) : path
}
