import type { LiveKind } from './entry.ts'

/** What the disk showed of one path when last looked at: the ground truth detect compares with (rule 13). Never leaves the host. */
export interface Observation {
  readonly kind: LiveKind
  /** All of 07777. */
  readonly mode: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly sizeBytes: number
  readonly inode: bigint
  readonly device: bigint
}

/** One look at a path, following no link. */
export type Look =
  | { readonly kind: 'present'; readonly observation: Observation }
  | { readonly kind: 'absent' }
  /** A FIFO, socket or device: counted as a problem, never synced. */
  | { readonly kind: 'unsyncable'; readonly what: 'fifo' | 'socket' | 'device' }
  /** Could not be looked at; never taken for a delete (rule 20). */
  | { readonly kind: 'unreadable'; readonly message: string }

/** Nothing about the path changed: for a directory its times and size do not count. */
export function sameObservation(a: Observation, b: Observation): boolean {
  if (a.kind !== b.kind || a.mode !== b.mode || a.inode !== b.inode || a.device !== b.device)
    return false
  if (a.kind === 'directory') return true
  return a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs && a.sizeBytes === b.sizeBytes
}

/** The bytes cannot have changed: the same inode with the same size and modification time; link count and mode may differ. */
export function sameBytes(a: Observation, b: Observation): boolean {
  return (
    a.kind === b.kind &&
    a.inode === b.inode &&
    a.device === b.device &&
    a.mtimeNs === b.mtimeNs &&
    a.sizeBytes === b.sizeBytes
  )
}

/** Whether its start is still what it was is found by reading it, while somebody waits who gives up after 30 s. */
const mostGrowingBytes = 1024 ** 3

/** The same file, and longer: something was appended, or it was written over. What is very large is waited for until it rests. */
export function hasGrown(before: Observation, now: Observation): boolean {
  return (
    before.kind === 'file' &&
    now.kind === 'file' &&
    now.inode === before.inode &&
    now.device === before.device &&
    now.sizeBytes > before.sizeBytes &&
    before.sizeBytes <= mostGrowingBytes
  )
}

/** Nanoseconds of a look cut to the microseconds that are announced; towards the past, also before 1970. */
export function toMicroseconds(ns: bigint): number {
  const us = ns / 1000n
  return Number(ns % 1000n < 0n ? us - 1n : us)
}
