import type { DatabaseSync } from 'node:sqlite'

import { SyndError } from '../core/errors.ts'
import { parseEpoch, parsePeerId, type PeerId } from '../core/peer-id.ts'
import type { Sequence } from '../core/protocol.ts'
import type { Identity, Transaction } from '../engine/ports.ts'
import { flagIn, integerIn, isNull, type Row, textIn } from './column.ts'
import { prepare, prepareUpsert } from './statement.ts'

/** Who this index is and how far it has come: the one-row tables `identity` and `progress`. */
export interface Self {
  readonly identity: Identity
  readonly lastCounter: number
  readonly lastSequence: Sequence
}

export interface SelfTable {
  /** Throws `store-damaged` when there is none. */
  load(): Self
  /** In the caller's transaction: what of `next` is not `previous`. */
  save(next: Self, previous: Self | null): void
}

/** A new index: joining (rule 9), nothing issued, and no life before it that could have ended badly. */
export function newSelf(peerId: PeerId): Self {
  return {
    identity: {
      peerId,
      epochs: [],
      isJoined: false,
      volumeMark: null,
      bootId: null,
      isClean: true,
    },
    lastCounter: 0,
    lastSequence: 0,
  }
}

/** What a transaction makes of it. Counter and sequence never go back, whatever leaves the index. */
export function advance(self: Self, transaction: Transaction): Self {
  const { identity, lastCounter = 0, records = [] } = transaction
  return {
    identity: identity === undefined ? self.identity : withoutOldEpochs(identity),
    lastCounter: Math.max(self.lastCounter, lastCounter),
    lastSequence: records.reduce(
      (highest, { sequence }) => Math.max(highest, sequence),
      self.lastSequence,
    ),
  }
}

export function prepareSelfTable(database: DatabaseSync): SelfTable {
  const loadIdentity = prepare(database, 'SELECT * FROM identity')
  const loadProgress = prepare(database, 'SELECT * FROM progress')
  const saveIdentity = prepareUpsert(database, 'identity', {
    key: ['id'],
    updated: ['peer_id', 'epochs', 'is_joined', 'volume_mark', 'boot_id', 'is_clean'],
  })
  const saveProgress = prepareUpsert(database, 'progress', {
    key: ['id'],
    updated: ['last_counter', 'last_sequence'],
  })
  return {
    load: () => {
      const [identity, progress] = [loadIdentity.get(), loadProgress.get()]
      if (identity === undefined || progress === undefined)
        throw new SyndError('store-damaged', 'an index without identity')
      return {
        identity: parseIdentity(identity),
        lastCounter: integerIn(progress, 'last_counter', { from: 0 }),
        lastSequence: integerIn(progress, 'last_sequence', { from: 0 }),
      }
    },
    save: ({ identity, lastCounter, lastSequence }, previous) => {
      if (identity !== previous?.identity)
        saveIdentity.run(
          1,
          identity.peerId,
          formatEpochs(identity.epochs),
          Number(identity.isJoined),
          identity.volumeMark,
          identity.bootId,
          Number(identity.isClean),
        )
      if (lastCounter !== previous?.lastCounter || lastSequence !== previous.lastSequence)
        saveProgress.run(1, lastCounter, lastSequence)
    },
  }
}

/** The port promises so many; a peer that recorded an older epoch makes us draw a new id, which loses nothing (rule 1). */
const maxEpochs = 1000

function withoutOldEpochs(identity: Identity): Identity {
  if (identity.epochs.length <= maxEpochs) return identity
  return { ...identity, epochs: identity.epochs.slice(-maxEpochs) }
}

function formatEpochs(epochs: Identity['epochs']): string {
  return epochs.map(({ epoch, lastSequence }) => `${epoch}:${lastSequence}`).join(',')
}

function parseEpochs(text: string): Identity['epochs'] {
  if (text === '') return []
  return text.split(',').map((item) => {
    const [epoch = '', sequence = ''] = item.split(':')
    const lastSequence = Number(sequence)
    if (sequence === '' || !Number.isSafeInteger(lastSequence) || lastSequence < 0)
      throw new SyndError('store-damaged', 'malformed list of epochs')
    return { epoch: parseEpoch(epoch), lastSequence }
  })
}

function parseIdentity(row: Row): Identity {
  return {
    peerId: parsePeerId(textIn(row, 'peer_id')),
    epochs: parseEpochs(textIn(row, 'epochs')),
    isJoined: flagIn(row, 'is_joined'),
    volumeMark: isNull(row, 'volume_mark') ? null : textIn(row, 'volume_mark'),
    bootId: isNull(row, 'boot_id') ? null : textIn(row, 'boot_id'),
    isClean: flagIn(row, 'is_clean'),
  }
}
