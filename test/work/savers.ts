import { execFileSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** How a program saves `text` (one char a byte, ends with a newline) to `file`. */
export type Saver = (file: string, text: string) => void

/** A file beside the volume from which the tools take what they save. */
type Draft = string

/** Vim itself with a backup: a swap file, the probe `4913`, the old file renamed to `file~`, a new one under its name. */
function vim(draft: Draft): Saver {
  const program = ['vim', 'vim.tiny', 'vi'].find(isVim)
  if (program === undefined) throw new Error('no vim on this machine')
  return (file, text) => {
    writeFileSync(draft, text, 'latin1')
    // Nothing of this machine's settings; files in /tmp have no backup by default.
    const setting = 'set backup backupskip= backupcopy=auto backupdir=.'
    const words = ['-u', 'NONE', '-i', 'NONE', '-N', '-es', '-c', setting]
    run(program, [...words, '-c', `silent %!cat ${draft}`, '-c', 'wq', basename(file)], file)
  }
}

/** `sed -i`: a temporary file beside it, renamed over it. */
function sed(draft: Draft): Saver {
  return (file, text) => {
    writeFileSync(draft, text, 'latin1')
    run('sed', ['-i', '-e', `1r ${draft}`, '-e', 'd', basename(file)], file)
  }
}

/**
 * `rsync --inplace`: written over from its start, never truncated first. Without `--ignore-times` it would save nothing when the text has the
 * size and the second of the one before.
 */
function rsync(draft: Draft): Saver {
  return (file, text) => {
    writeFileSync(draft, text, 'latin1')
    run('rsync', ['--inplace', '--whole-file', '--ignore-times', draft, file], file)
  }
}

/**
 * Emacs: a lock that is a dangling link, an auto-save file while it is typed; the first save of a session renames the old file to `file~`, the
 * others truncate and write in place.
 */
function emacs(): Saver {
  let saves = 0
  return (file, text) => {
    const beside = (name: string): string => join(dirname(file), name)
    const lock = beside(`.#${basename(file)}`)
    const autoSave = beside(`#${basename(file)}#`)
    symlinkSync(`somebody@host.${1000 + saves}:1763912345`, lock)
    writeFileSync(autoSave, text.slice(0, text.length / 2), 'latin1')
    if (saves++ % 3 === 0) renameSync(file, `${file}~`)
    overwrite(file, text)
    unlinkSync(autoSave)
    unlinkSync(lock)
  }
}

/** VS Code: opened, truncated, written, synced. */
const vsCode: Saver = (file, text) => overwrite(file, text)

/** What most others do, VS Code with `files.atomicSave` too: a new file, renamed over it. */
const renaming: Saver = (file, text) => {
  const temporary = `${file}.${process.pid}.tmp`
  writeFileSync(temporary, text, 'latin1')
  renameSync(temporary, file)
}

/** Every program that saves, by the name of the file that it works on. */
export function saversWith(draft: Draft): ReadonlyMap<string, Saver> {
  return new Map([
    ['of-vim', vim(draft)],
    ['of-emacs', emacs()],
    ['of-vs-code', vsCode],
    ['of-those-who-rename', renaming],
    ['of-sed', sed(draft)],
    ['of-rsync', rsync(draft)],
  ])
}

function overwrite(file: string, text: string): void {
  const fd = openSync(file, existsSync(file) ? 'r+' : 'w')
  ftruncateSync(fd, 0)
  writeSync(fd, text, 0, 'latin1')
  fsyncSync(fd)
  closeSync(fd)
}

function run(program: string, words: readonly string[], file: string): void {
  const env = { PATH: process.env['PATH'] ?? '', HOME: dirname(file), TERM: 'dumb' }
  execFileSync(program, words, { cwd: dirname(file), stdio: 'pipe', env })
}

function isVim(program: string): boolean {
  try {
    const said = execFileSync(program, ['--version'], { encoding: 'utf8', stdio: 'pipe' })
    return said.startsWith('VIM')
  } catch {
    return false
  }
}
