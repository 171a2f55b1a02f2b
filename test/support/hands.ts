import {
  appendFileSync,
  chmodSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'

/** What people and their programs do in a volume; paths and contents are latin1: one char a byte. */
export interface Hands {
  /** Truncates and writes in place, or makes the file. */
  write(path: string, content: string): void
  append(path: string, content: string): void
  /** Another file takes the name, as editors save. */
  replace(path: string, content: string): void
  mkdir(path: string): void
  /** With everything in it; nothing when it is not there. */
  remove(path: string): void
  rename(from: string, to: string): void
  link(from: string, to: string): void
  symlink(target: string, path: string): void
  chmod(path: string, mode: number): void
  setMtime(path: string, mtimeUs: number): void
  /** Null when there is no file. */
  read(path: string): string | null
  /** Every path below `directory` but `.synd` in the root, in byte order: `d 755`, `f 644 content` or `l target`. */
  tree(directory?: string): ReadonlyMap<string, string>
}

/** Hands in a real directory. */
export function realHands(root: string): Hands {
  const at = (path: string): Buffer =>
    Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')])
  const hands: Hands = {
    write: (path, content) => writeFileSync(at(path), content, { encoding: 'latin1' }),
    append: (path, content) => appendFileSync(at(path), content, { encoding: 'latin1' }),
    replace: (path, content) => {
      hands.write('~hands', content)
      hands.rename('~hands', path)
    },
    mkdir: (path) => mkdirSync(at(path)),
    remove: (path) => removeBelow(at(path)),
    rename: (from, to) => renameSync(at(from), at(to)),
    link: (from, to) => linkSync(at(from), at(to)),
    symlink: (target, path) => symlinkSync(Buffer.from(target, 'latin1'), at(path)),
    chmod: (path, mode) => chmodSync(at(path), mode),
    setMtime: (path, mtimeUs) => {
      const seconds = (mtimeUs + 0.5) / 1e6
      lutimesSync(at(path), seconds, seconds)
    },
    read: (path) => {
      const stats = lstatSync(at(path), { throwIfNoEntry: false })
      return stats?.isFile() === true ? readFileSync(at(path), 'latin1') : null
    },
    tree: (directory = '') => {
      const found = new Map<string, string>()
      const collect = (directory: string): void => {
        for (const name of readdirSync(at(directory), { encoding: 'latin1' }).toSorted()) {
          const path = directory === '' ? name : `${directory}/${name}`
          if (path === '.synd') continue
          const stats = lstatSync(at(path))
          const mode = (stats.mode & 0o7777).toString(8)
          if (stats.isDirectory()) {
            found.set(path, `d ${mode}`)
            collect(path)
          } else if (stats.isSymbolicLink()) {
            found.set(path, `l ${readlinkSync(at(path), { encoding: 'latin1' })}`)
          } else {
            found.set(path, `f ${mode} ${readFileSync(at(path), 'latin1')}`)
          }
        }
      }
      collect(directory)
      return found
    },
  }
  return hands
}

function removeBelow(path: Buffer): void {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return
  if (!stats.isDirectory()) return unlinkSync(path)
  for (const name of readdirSync(path, { encoding: 'latin1' })) {
    removeBelow(Buffer.concat([path, Buffer.from(`/${name}`, 'latin1')]))
  }
  rmdirSync(path)
}
