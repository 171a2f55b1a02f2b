import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { parseDigest } from '../../src/core/digest.ts'
import type { FileEntry } from '../../src/core/entry.ts'
import type { Observation } from '../../src/core/observation.ts'
import { parsePeerId } from '../../src/core/peer-id.ts'
import { parseRelativePath, type RelativePath } from '../../src/core/relative-path.ts'
import { vectorOf } from '../../src/core/version-vector.ts'
import type { Catalogue, PullRequest } from '../../src/engine/ports.ts'

type Servable = NonNullable<ReturnType<Catalogue['servable']>>

/** Files in a directory with the index entries that a peer would have of them. Paths are latin1. */
export function volumeSource(root: string) {
  const listed = new Map<RelativePath, Servable>()
  const at = (path: string): Buffer => Buffer.from(`${root}/${path}`, 'latin1')

  /** Lists what is on the disk now and gives what another peer would ask for. */
  const list = (text: string): PullRequest => {
    const path = parseRelativePath(text)
    const content = readFileSync(at(path))
    const stat = lstatSync(at(path), { bigint: true })
    const observation: Observation = {
      kind: 'file',
      mode: Number(stat.mode & 0o7777n),
      mtimeNs: stat.mtimeNs,
      ctimeNs: stat.ctimeNs,
      sizeBytes: Number(stat.size),
      inode: stat.ino,
      device: stat.dev,
    }
    const digest = parseDigest(createHash('sha256').update(content).digest('hex'))
    const dot = { peer: parsePeerId('00000000000000aa'), counter: 1 }
    const entry: FileEntry = {
      kind: 'file',
      path,
      version: vectorOf(dot),
      contentDot: dot,
      metadataDot: dot,
      mode: observation.mode & 0o777,
      mtimeUs: Number(observation.mtimeNs / 1000n),
      digest,
      sizeBytes: content.length,
    }
    listed.set(path, { entry, observation })
    return { path, digest, sizeBytes: content.length }
  }
  const write = (path: string, content: string | Uint8Array): void => {
    mkdirSync(directoryOf(at(path)), { recursive: true })
    writeFileSync(at(path), content)
  }
  const catalogue: Catalogue = { servable: (path) => listed.get(path) ?? null }
  return {
    root,
    catalogue,
    list,
    write,
    /** Writes and lists a file. */
    put: (path: string, content: string | Uint8Array): PullRequest => {
      write(path, content)
      return list(path)
    },
    /** Takes a file from disk and index. */
    remove: (path: string): void => {
      unlinkSync(at(path))
      listed.delete(parseRelativePath(path))
    },
    /** The index's entry goes, the file stays. */
    unlist: (path: string): void => {
      listed.delete(parseRelativePath(path))
    },
  }
}

function directoryOf(path: Buffer): Buffer {
  return path.subarray(0, path.lastIndexOf('/'.charCodeAt(0)))
}
