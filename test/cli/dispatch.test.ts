import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { dispatch } from '../../src/cli/dispatch.ts'
import { oneLine } from '../../src/cli/exit-code.ts'
import { schema, settingNames } from '../../src/config/schema.ts'
import { type ErrorCode, SyndError } from '../../src/core/errors.ts'
import { recordedTerminal } from './recorded-terminal.ts'
import { synd } from './synd.ts'

const repository = join(import.meta.dirname, '..', '..')

test.each([
  [[], []],
  [['run'], []],
  [
    ['run', '--mode', 'send-only'],
    ['--mode', 'send-only'],
  ],
  [['--mode=send-only'], ['--mode=send-only']],
])('%j runs the sidecar with the flags %j', async (argv, flags) => {
  const calls: (readonly string[])[] = []
  const run = async ({ words }: { words: readonly string[] }) => {
    calls.push(words)
    return 0
  }
  expect(await dispatch(argv, { run, terminal: recordedTerminal() })).toBe(0)
  expect(calls).toEqual([flags])
})

test.each([
  ['--help'],
  ['-h'],
  ['help'],
  ['run', '--help'],
  ['status', '--help'],
  ['config', 'check', '-h'],
])('%s prints the help with every setting and command', async (...argv) => {
  const { code, printed, complained } = await synd(...argv)
  expect([code, complained]).toEqual([0, []])
  for (const name of settingNames) expect(printed.join('\n')).toContain(schema[name].env)
  for (const command of [
    'run',
    'keygen',
    'config check',
    'status',
    'healthcheck',
    'approve',
    'reject',
    'demo',
  ])
    expect(printed.join('\n')).toContain(`  ${command}`)
})

test('--version prints the version of package.json', async () => {
  const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
  expect(await synd('--version')).toEqual({ code: 0, printed: [`synd ${version}`], complained: [] })
})

test.each([
  [['statsu'], 'unknown command "statsu": did you mean synd status?'],
  [['frobnicate'], 'unknown command "frobnicate": synd --help lists the commands'],
  [['config'], 'unknown command "config": synd --help lists the commands'],
  [['config', 'chekc'], 'unknown command "config chekc": did you mean synd config check?'],
  [['config', '--volume'], 'unknown command "config": synd --help lists the commands'],
  [['a\nb'], 'unknown command "a\\nb": synd --help lists the commands'],
  [['status', '--jsn'], 'unknown flag "--jsn": see synd --help'],
  [['status', 'x'], 'unexpected argument "x": see synd --help'],
  [['healthcheck', '--http-listen=x'], 'host:port such as'],
  [['keygen', '--out'], '--out has no value: write --out=VALUE'],
  [['keygen', '--out', '--mode'], '--out has no value: write --out=VALUE'],
  [['keygen', '--out='], '--out has no value: write --out=VALUE'],
  [['demo', 'x'], 'synd demo takes no "x"'],
])('%j is refused with 78 and one line', async (argv, message) => {
  const { code, printed, complained } = await synd(...argv)
  expect([code, printed]).toEqual([78, []])
  expect(complained).toHaveLength(1)
  expect(complained[0]).toContain(message)
  expect(complained[0]).toMatch(/^synd: .*$/)
})

describe('the exit code of an error', () => {
  const codes: readonly (readonly [ErrorCode, number])[] = [
    ['bad-settings', 78],
    ['bad-key', 78],
    ['volume-missing', 78],
    ['volume-unwritable', 78],
    ['volume-unreadable', 78],
    ['volume-foreign', 1],
    ['volume-locked', 1],
    ['address-in-use', 1],
    ['no-space', 1],
    ['store-damaged', 1],
    ['unreachable', 1],
  ]
  test.each(codes)('%s is %d, told in one plain line', async (errorCode, exitCode) => {
    const terminal = recordedTerminal()
    const run = async () => {
      throw new SyndError(errorCode, 'what is wrong\nand \u001B[31mwhy', {
        cause: new Error('inner'),
      })
    }
    expect(await dispatch([], { run, terminal })).toBe(exitCode)
    expect(terminal.complained).toEqual(['synd: what is wrong\\u{a}and \\u{1b}[31mwhy'])
  })

  test('a bug is 1 and shows its stack', async () => {
    const terminal = recordedTerminal()
    const run = async () => {
      throw new TypeError('a bug')
    }
    expect(await dispatch([], { run, terminal })).toBe(1)
    expect(terminal.complained[0]).toMatch(/^synd: internal error: TypeError: a bug\n {4}at /)
  })
})

test('text from outside cannot move the cursor or hide', () => {
  expect(oneLine('ä b\u0007\u202Ec\u0085\u200B\n')).toBe(
    'ä b\\u{7}\\u{202e}c\\u{85}\\u{200b}\\u{a}',
  )
})
