import { loadSettings } from '../../config/settings.ts'
import { SyndError } from '../../core/errors.ts'
import type { Status } from '../../core/status.ts'
import type { PublicStatus } from '../../observe/http/public-status.ts'
import type { Call } from '../commands.ts'
import { oneLine } from '../exit-code.ts'
import { askLocal } from '../local-http.ts'
import { takeSwitch } from '../options.ts'
import { statusLines } from './status-text.ts'

/** `synd status [--json]`: what the sidecar with these settings says of itself. */
export async function showStatus({ words, terminal }: Call): Promise<number> {
  const { isGiven: isJson, rest } = takeSwitch(words, '--json')
  const { settings } = loadSettings(rest)
  const { status, body } = await askLocal(settings, { method: 'GET', path: '/status' })
  if (status !== 200)
    throw new SyndError('refused', `the running synd answers ${status}: ${oneLine(body.trim())}`)
  const shown = parseStatus(body)
  if (isJson) terminal.print(body.trimEnd())
  else for (const line of statusLines(shown, Date.now())) terminal.print(line)
  return 0
}

/** The body of `/status`; throws `protocol` for the answer of another program. */
export function parseStatus(body: string): Status | PublicStatus {
  try {
    const value: unknown = JSON.parse(body)
    const isStatus =
      typeof value === 'object' &&
      value !== null &&
      ['peer', 'volume', 'peers', 'problems', 'conflicts'].every((key) => key in value)
    if (isStatus) return value as Status | PublicStatus
  } catch {
    // Not JSON: the same to the caller.
  }
  throw new SyndError('protocol', 'what answers at SYND_HTTP_LISTEN is no synd')
}
