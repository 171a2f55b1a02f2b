import type { Topology } from './history.ts'

/** The names of those that the peer at `index` lists. */
export function neighbours(names: readonly string[], index: number, topology: Topology): string[] {
  const last = names.length - 1
  const isNeighbour = (other: number): boolean => {
    const distance = Math.abs(other - index)
    switch (topology) {
      case 'mesh':
        return distance > 0
      case 'chain':
        return distance === 1
      case 'star':
        return distance > 0 && (other === 0 || index === 0)
      case 'ring':
        return distance === 1 || (distance === last && last > 0)
    }
  }
  return names.filter((_, other) => isNeighbour(other))
}
