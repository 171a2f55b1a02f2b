import { loadSettings } from '../../config/settings.ts'
import { SyndError } from '../../core/errors.ts'
import type { Call } from '../commands.ts'
import { oneLine } from '../exit-code.ts'
import { askLocal } from '../local-http.ts'

/** `synd approve` and `synd reject`: decide over the deletes that the running sidecar holds back (rule 19). */
export async function decideHeldDeletes(
  decision: 'approve' | 'reject',
  { words, terminal }: Call,
): Promise<number> {
  const { settings } = loadSettings(words)
  const { status, body } = await askLocal(settings, { method: 'POST', path: `/${decision}` })
  if (status !== 200)
    throw new SyndError('refused', `the running synd refuses (${status}): ${oneLine(body.trim())}`)
  const count = parseCount(body)
  if (count === 0)
    terminal.print(
      decision === 'approve' ? 'no deletes are held back' : 'there is nothing to take back',
    )
  else if (decision === 'approve')
    terminal.print(`approved: ${entries(count)} will be deleted on the peers`)
  else terminal.print(`rejected: ${entries(count)} will be taken back from the peers`)
  return 0
}

function entries(count: number): string {
  return count === 1 ? '1 entry' : `${count} entries`
}

/** The one number in the answer. */
function parseCount(body: string): number {
  const count = Number(/^\s*\{\s*"(?:approved|rejected)":\s*(\d+)\s*\}\s*$/.exec(body)?.[1])
  if (Number.isSafeInteger(count)) return count
  throw new SyndError('protocol', 'what answers at SYND_HTTP_LISTEN is no synd')
}
