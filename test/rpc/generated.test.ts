import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { generatedDirectory, generateProtoTypes } from '../../scripts/generate-proto-types.ts'

function contents(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  const files = names.filter((name) => name.endsWith('.ts'))
  return Object.fromEntries(
    files.toSorted().map((name) => [name, readFileSync(join(directory, name), 'utf8')]),
  )
}

test('the committed types of the protocol are what `npm run proto` makes', () => {
  const directory = mkdtempSync(join(tmpdir(), 'synd-proto-'))
  try {
    generateProtoTypes(join(directory, 'generated'))
    expect(contents(generatedDirectory)).toEqual(contents(join(directory, 'generated')))
  } finally {
    rmSync(directory, { recursive: true })
  }
})
