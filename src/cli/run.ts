import { loadSettings } from '../config/settings.ts'
import { settingsWarnings, type Settings } from '../config/complete.ts'
import { createLog, type Log } from '../observe/log.ts'
import { cryptoKind } from '../transfer/algorithms.ts'
import type { Call } from './commands.ts'
import { openSidecar } from './sidecar.ts'
import { giveBackMemory, ownMemory } from './spare-memory.ts'
import { readVersion } from './version.ts'

/** A drain that takes longer is cut short (README, Commands and exit codes: stopped within 10 s). */
const drainMs = 8_000

/** `synd run`: the sidecar in the foreground until `stopSignal` resolves; gives the exit code. */
export async function run({ words }: Call, stopSignal: Promise<NodeJS.Signals>): Promise<number> {
  const { settings, ignoredVariables } = loadSettings(words)
  const log = createLog({
    level: settings.logLevel,
    peerName: settings.peerName,
    volume: settings.volume,
  })
  announce(settings, ignoredVariables, log)
  const stopped = stopSignal.then((signal) => log('info', 'signal', { signal }))
  const sidecar = await openSidecar(settings, log)
  try {
    await sidecar.start()
    giveBackMemory(ownMemory())
    await Promise.race([stopped, sidecar.running])
  } finally {
    log('info', 'draining')
    await Promise.race([sidecar.stop(), rest(drainMs)])
  }
  log('info', 'stopped')
  return 0
}

function announce(settings: Settings, ignoredVariables: readonly string[], log: Log): void {
  log('info', 'synd', {
    version: readVersion(),
    node: process.version,
    crypto: cryptoKind(),
    mode: settings.mode,
    durability: settings.durability,
  })
  for (const warning of settingsWarnings(settings)) log('warn', warning)
  if (ignoredVariables.length > 0)
    log('info', 'variables of Kubernetes services are ignored', { variables: ignoredVariables })
}

function rest(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs).unref()
  })
}
