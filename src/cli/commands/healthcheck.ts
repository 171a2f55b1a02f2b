import { loadSettings } from '../../config/settings.ts'
import { SyndError } from '../../core/errors.ts'
import type { Call } from '../commands.ts'
import { askLocal } from '../local-http.ts'

/** `synd healthcheck`: 0 when `/livez` of the sidecar with these settings is 200. */
export async function checkHealth({ words }: Call): Promise<number> {
  const { settings } = loadSettings(words)
  const { status } = await askLocal(settings, { method: 'GET', path: '/livez' })
  if (status === 200) return 0
  throw new SyndError('unreachable', `/livez answers ${status}`)
}
