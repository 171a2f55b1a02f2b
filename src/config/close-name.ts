/** The candidate that somebody who typed `name` most likely meant, or null when none is near. */
export function closestName(name: string, candidates: readonly string[]): string | null {
  let closest: string | null = null
  // A third of the letters wrong is another word.
  let shortest = Math.floor(name.length / 3) + 1
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < shortest) {
      closest = candidate
      shortest = distance
    }
  }
  return closest
}

/** Levenshtein's distance: how many letters to insert, drop or replace. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1)
      const dropped = (previous[column] ?? 0) + 1
      const inserted = (current[column - 1] ?? 0) + 1
      current.push(Math.min(replaced, dropped, inserted))
    }
    previous = current
  }
  return previous[to.length] ?? from.length
}
