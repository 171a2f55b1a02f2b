import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { problemCodes } from '../../../src/core/problem.ts'
import { repository } from '../support/cache.ts'
import { at, listAt, readYaml } from '../support/yaml-files.ts'

const documents = ['deploy/README.md', 'deploy/runbook.md']
const text = (path: string) => readFileSync(join(repository, path), 'utf8')

describe.each(documents)('%s', (document) => {
  test('links to files and headings that are there', () => {
    for (const [, target = ''] of text(document).matchAll(/\]\(([^)]+)\)/g)) {
      if (target.startsWith('http')) continue
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? document : join(dirname(document), path)
      expect(existsSync(join(repository, file)), target).toBe(true)
      if (anchor !== undefined) expect(anchors(file), target).toContain(anchor)
    }
  })
})

test('the messages in the tables of deploy/README.md are those of the program', () => {
  const source = sourceText()
  const quoted = text('deploy/README.md')
    .slice(text('deploy/README.md').indexOf('## When it does not work'))
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) =>
      [...(line.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, one = '']) => one),
    )
  expect(quoted.length).toBeGreaterThan(12)
  for (const message of quoted) {
    for (const part of message.split('…').map((one) => one.replace(/^SYND_[A-Z_]*:?/, '').trim())) {
      expect(source, message).toContain(part)
    }
  }
})

test('the runbook explains every kind of problem that can ring', () => {
  const runbook = text('deploy/runbook.md')
  const rule = listAt(readYaml('deploy/prometheus/rules/synd.yml'), 'groups', 0, 'rules').find(
    (one) => at(one, 'alert') === 'SyndProblems',
  )
  const silent = /code!~"([^"]+)"/.exec(String(at(rule, 'expr')))?.[1]?.split('|') ?? []
  expect(silent.filter((code) => !problemCodes.some((one) => one === code))).toEqual([])
  const loud = problemCodes.filter((code) => !silent.includes(code))
  expect(loud.filter((code) => !runbook.includes(`\`${code}\``))).toEqual([])
})

/** The anchors of a file's headings, as GitHub makes them. */
function anchors(file: string): readonly string[] {
  return [...text(file).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}

function sourceText(): string {
  const files = readdirSync(join(repository, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join('src', name))
  return [...files, 'deploy/image/entrypoint.sh'].map(text).join('\n')
}
