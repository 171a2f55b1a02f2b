/** More values than this would be a label made of what comes over the network. */
const mostValues = 200

/**
 * Lets through reasons that are plain words, up to two hundred of them; the rest is `other`. `key` tells apart what shares the limit,
 * for example the surface.
 */
export function createBoundedLabels(): (key: string, reason: string) => string {
  const seen = new Set<string>()
  return (key, reason) => {
    if (!/^[a-z][a-z0-9-]{0,39}$/.test(reason)) return 'other'
    const name = `${key} ${reason}`
    if (!seen.has(name) && seen.size >= mostValues) return 'other'
    seen.add(name)
    return reason
  }
}
