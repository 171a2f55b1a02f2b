import { describe, expect, test } from 'vitest'
import { deletesToHold, type Disappearance, type HeldShare } from '../../src/core/safety.ts'

/** A full scan of a volume of 1,000 files and 100 directories that found everything. */
const calm: Disappearance = {
  known: 1100,
  knownFiles: 1000,
  goneSilently: 0,
  goneFiles: 0,
  newFiles: 0,
  isFullScan: true,
}

describe('rule 19: the delete brake', () => {
  test.each<[string, Partial<Disappearance>, HeldShare]>([
    ['nothing is gone', {}, 'none'],
    ['more than half is gone without an event', { goneSilently: 551, goneFiles: 500 }, 'silent'],
    ['half is gone', { goneSilently: 550, goneFiles: 500 }, 'none'],
    ['more than half is gone, but events told', { goneSilently: 0, goneFiles: 900 }, 'none'],
    [
      'more than half is gone, seen by a look that is no full scan',
      { goneSilently: 551, goneFiles: 500, isFullScan: false },
      'none',
    ],
    [
      'all of 100 entries are gone: too few to ask',
      { known: 100, knownFiles: 10, goneSilently: 100, goneFiles: 10 },
      'none',
    ],
    [
      '101 of 150 entries are gone',
      { known: 150, knownFiles: 120, goneSilently: 101, goneFiles: 80 },
      'silent',
    ],
    ['all files are gone, and events told', { goneFiles: 1000 }, 'all'],
    ['all files are gone, at any look', { goneFiles: 1000, isFullScan: false }, 'all'],
    [
      'all of 11 files are gone',
      { known: 11, knownFiles: 11, goneFiles: 11, goneSilently: 11 },
      'all',
    ],
    [
      'all of 10 files are gone',
      { known: 10, knownFiles: 10, goneFiles: 10, goneSilently: 10 },
      'none',
    ],
    ['all but one file are gone, and events told', { goneFiles: 999 }, 'none'],
    ['all files are gone, others are new', { goneFiles: 1000, newFiles: 1 }, 'none'],
    [
      'all is gone without an event, others are new',
      { goneSilently: 1100, goneFiles: 1000, newFiles: 5 },
      'silent',
    ],
    ['an empty volume stays empty', { known: 0, knownFiles: 0 }, 'none'],
  ])('%s', (_, found, held) => {
    expect(deletesToHold({ ...calm, ...found }, 0.5)).toBe(held)
    expect(deletesToHold({ ...calm, ...found }, null)).toBe('none')
  })

  test.each<[number, number, HeldShare]>([
    [0, 101, 'silent'],
    [0, 100, 'none'],
    [0.1, 110, 'none'],
    [0.1, 111, 'silent'],
    [1, 1100, 'none'],
  ])('at a share of %s, %s of 1,100 are held: %s', (share, goneSilently, held) => {
    expect(deletesToHold({ ...calm, goneSilently }, share)).toBe(held)
  })
})
