import { createRequire } from 'node:module'
import pino, { type DestinationStream } from 'pino'
import type Pretty from 'pino-pretty'
import type { LogLevel } from '../engine/ports.ts'
import { cleanFields } from './clean-fields.ts'

/** A fixed message with fields; above `debug` fields that hold names of files are left out. */
export type Log = (
  level: LogLevel,
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void

export interface LogOptions {
  readonly level: LogLevel
  /** In every line as `name`. */
  readonly peerName: string
  /** The volume's absolute path: what lies below it is not named in lines above `debug`. */
  readonly volume: string
  /** Where lines go; without it stdout, in colours for people when that is a terminal. */
  readonly destination?: DestinationStream
}

/** Opens the log: JSON lines, or readable text on a terminal. Lines are written at once: none is lost in a crash. */
export function createLog({ level, peerName, volume, destination }: LogOptions): Log {
  const logger = pino(
    {
      level,
      base: { name: peerName },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination ?? openStdout(),
  )
  return (level, message, fields = {}) => {
    if (!logger.isLevelEnabled(level)) return
    logger[level](cleanFields(fields, { volume, showsPaths: level === 'debug' }), message)
  }
}

function openStdout(): DestinationStream {
  if (!process.stdout.isTTY) return pino.destination({ dest: 1, sync: true })
  // Loaded for terminals only: it would take memory from everybody.
  const pretty: typeof Pretty = createRequire(import.meta.url)('pino-pretty')
  // As a stream in this thread: a worker would lose the last lines of a crash.
  return pretty({
    destination: 1,
    sync: true,
    colorize: process.stdout.hasColors(),
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'name',
    singleLine: true,
    errorLikeObjectKeys: [],
  })
}
