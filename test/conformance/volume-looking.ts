import { describe, expect } from 'vitest'
import { parseRelativePath } from '../../src/core/relative-path.ts'
import { nastyNames } from '../support/nasty-names.ts'
import { digestOfText, observed } from '../support/volume-fixture.ts'
import { volumeTests, type Ground } from './volume-subject.ts'

/** Looks, lists and digests. */
export function volumeLooking(name: string, ground: () => Ground): void {
  const withVolume = volumeTests(ground)

  describe(`looking at ${name}`, () => {
    withVolume('a look tells kinds and what is not there', ({ volume, hands }) => {
      hands.write('f', 'x')
      hands.mkdir('d')
      hands.symlink('nowhere', 'l')
      expect(observed(volume, 'f')).toMatchObject({ kind: 'file', mode: 0o644, sizeBytes: 1 })
      expect(observed(volume, 'd')).toMatchObject({ kind: 'directory', mode: 0o755 })
      expect(observed(volume, 'l')).toMatchObject({ kind: 'symlink', sizeBytes: 7 })
      for (const path of ['x', 'x/y', 'f/x', 'l/x', 'd/x'])
        expect(volume.look(parseRelativePath(path))).toEqual({ kind: 'absent' })
    })

    withVolume('each of many is looked at as it is alone', ({ volume, hands }) => {
      for (const name of ['d', 'd/e', 'g']) hands.mkdir(name)
      for (const name of ['a', 'd/a', 'd/b', 'd/e/a', 'g/a']) hands.write(name, name)
      hands.symlink('d', 'l')
      const texts = ['a', 'd', 'd/a', 'd/b', 'd/nothing', 'd/e/a', 'g/a', 'd/a', 'l/a', 'x/a', 'z']
      const paths = texts.map(parseRelativePath)
      expect(volume.lookEach(paths)).toEqual(paths.map((path) => volume.look(path)))
      expect(volume.lookEach([])).toEqual([])
    })

    withVolume('every legal name is listed, looked at and hashed', async ({ volume, hands }) => {
      hands.mkdir('d')
      for (const name of nastyNames) hands.write(`d/${name}`, name)
      const listing = volume.list(parseRelativePath('d'))
      if (listing.kind !== 'listed') throw new Error(listing.kind)
      const children = [...listing.children]
      expect(children.map(({ name }) => name).toSorted()).toEqual([...nastyNames].toSorted())
      for (const { name, look } of children) {
        if (look.kind !== 'present') throw new Error(look.kind)
        const path = parseRelativePath(`d/${name}`)
        expect(volume.look(path)).toEqual(look)
        expect(await volume.digest(path, look.observation)).toEqual({
          kind: 'digested',
          digest: digestOfText(name),
          target: null,
        })
      }
    })

    withVolume(
      'the root is listed without .synd, and what is no directory is absent',
      ({ volume, hands }) => {
        hands.write('f', '')
        hands.symlink('.', 'l')
        const listing = volume.list(null)
        if (listing.kind !== 'listed') throw new Error(listing.kind)
        expect([...listing.children].map(({ name }) => name).toSorted()).toEqual(['f', 'l'])
        for (const path of ['f', 'l', 'nothing', 'nothing/below'])
          expect(volume.list(parseRelativePath(path))).toEqual({ kind: 'absent' })
      },
    )

    withVolume(
      'a large directory is listed whole, and what goes meanwhile is left out',
      ({ volume, hands }) => {
        hands.mkdir('d')
        const names = Array.from({ length: 700 }, (_, i) => `file-${i}`)
        for (const name of names) hands.write(`d/${name}`, '')
        const listing = volume.list(parseRelativePath('d'))
        if (listing.kind !== 'listed') throw new Error(listing.kind)
        const seen: string[] = []
        for (const { name } of listing.children) {
          if (seen.length === 0) for (const name of names.slice(0, 10)) hands.remove(`d/${name}`)
          seen.push(name)
        }
        expect(new Set(seen).size).toBe(seen.length)
        expect(seen.length).toBeGreaterThanOrEqual(690)
        hands.remove('d')
        const gone = volume.list(parseRelativePath('d'))
        expect(gone).toEqual({ kind: 'absent' })
      },
    )

    withVolume('a digest is given only of what was observed', async ({ volume, hands }) => {
      hands.write('f', 'one')
      const before = observed(volume, 'f')
      const path = parseRelativePath('f')
      hands.append('f', ' two')
      expect(await volume.digest(path, before)).toEqual({ kind: 'changed' })
      const now = observed(volume, 'f')
      expect(await volume.digest(path, now)).toMatchObject({ digest: digestOfText('one two') })
      hands.chmod('f', 0o600)
      expect(await volume.digest(path, now)).toEqual({ kind: 'changed' })
      hands.remove('f')
      expect(await volume.digest(path, now)).toEqual({ kind: 'changed' })
      hands.symlink('one two', 'f')
      expect(await volume.digest(path, now)).toEqual({ kind: 'changed' })
      hands.remove('f')
      hands.mkdir('f')
      expect(await volume.digest(path, now)).toEqual({ kind: 'changed' })
    })

    withVolume(
      'of a file that grows, what was observed is hashed, if it goes on as what was known',
      async ({ volume, hands }) => {
        const path = parseRelativePath('log')
        const knownAs = (text: string) => ({ sizeBytes: text.length, digest: digestOfText(text) })
        const long = 'x'.repeat(600_000)
        for (const before of ['', 'one\n', `${long}\n`]) {
          hands.write('log', `${before}two\n`)
          const then = observed(volume, 'log')
          hands.append('log', 'three\n')
          const growing = { kind: 'growing', digest: digestOfText(`${before}two\n`) }
          expect(await volume.digest(path, then, knownAs(before))).toEqual(growing)
          expect(await volume.digest(path, then, knownAs(`${before}two\n`))).toEqual(growing)
          for (const known of [null, knownAs('other'), knownAs(`${before}two\nthree\n`)])
            expect(await volume.digest(path, then, known)).toEqual({ kind: 'changed' })
        }
        hands.write('log', 'one\n')
        const then = observed(volume, 'log')
        hands.write('log', 'other\n')
        expect(await volume.digest(path, then, knownAs('one\n'))).toEqual({ kind: 'changed' })
        hands.replace('log', 'one\ntwo\n')
        expect(await volume.digest(path, then, knownAs('one\n'))).toEqual({ kind: 'changed' })
      },
    )

    withVolume('a symlink is hashed by its text and not followed', async ({ volume, hands }) => {
      hands.write('f', 'secret')
      for (const target of ['f', '/etc/passwd', 'dangling', '\xff\xfe\n', 'x'.repeat(4095)]) {
        hands.remove('l')
        hands.symlink(target, 'l')
        expect(await volume.digest(parseRelativePath('l'), observed(volume, 'l'))).toEqual({
          kind: 'digested',
          digest: digestOfText(target),
          target,
        })
      }
      const before = observed(volume, 'l')
      hands.remove('l')
      hands.symlink('y'.repeat(4095), 'l')
      expect(await volume.digest(parseRelativePath('l'), before)).toEqual({ kind: 'changed' })
    })
  })
}
