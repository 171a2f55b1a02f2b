import { lstatSync, readlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** As many links as the kernel follows in one path (path_resolution(7)). */
const mostLinks = 40

/**
 * Every place whose owner decides what an absolute path means: that of each symlink on the way, and last where the path ends. What does not
 * exist, or cannot be looked at, ends where it would be made. Places are without symlinks, so that they can be compared as texts.
 */
export function placesOf(path: string): readonly [...links: string[], end: string] {
  const links: string[] = []
  const rest = path.split('/')
  let here = '/'
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    const next = name === '..' ? dirname(here) : join(here, name)
    const target = links.length < mostLinks ? targetOf(next) : null
    if (target === null) {
      here = next
      continue
    }
    links.push(next)
    rest.unshift(...target.split('/'))
    if (target.startsWith('/')) here = '/'
  }
  return [...links, here]
}

/** Where an absolute path ends when all symlinks are followed. */
export function realPlaceOf(path: string): string {
  return placesOf(path).at(-1) ?? path
}

/** Whether `path` is the directory or something in it; texts are compared. */
export function isWithin(path: string, directory: string): boolean {
  return (
    path === directory || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`)
  )
}

/** Null for what is no symlink, or not there. */
function targetOf(path: string): string | null {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : null
  } catch {
    return null
  }
}
