import { accessSync, constants } from 'node:fs'
import type { Settings } from '../config/complete.ts'
import { FileCredentials } from '../identity/file-credentials.ts'
import { AuthorizedKeys } from '../identity/trust.ts'
import { DiskError } from '../volume/disk.ts'
import { NodeDisk } from '../volume/node-disk.ts'
import { rootError, unwritable } from '../volume/ground/root.ts'
import { loadOwnKey } from './own-key.ts'

/**
 * Whether the volume, the keys and the certificates that the settings name can be used, without changing any of them. Throws what
 * `synd run` would throw.
 */
export async function checkInputs(settings: Settings): Promise<void> {
  await checkVolume(settings.volume)
  loadOwnKey(settings)
  checkStart(new AuthorizedKeys({ path: settings.sshAuthorizedKeys, log: () => {} }))
  const { tls } = settings
  if (tls.kind !== 'files') return
  const files = { certificate: tls.cert, privateKey: tls.key, authorities: tls.ca }
  checkStart(new FileCredentials({ files, log: () => {} }))
}

function checkStart(part: { start(): void; stop(): void }): void {
  part.start()
  part.stop()
}

/** Only looks: a `.synd` made here would belong to whoever checks and not to who runs. */
async function checkVolume(path: string): Promise<void> {
  const disk = new NodeDisk({ rootPath: path })
  try {
    disk.start()
    disk.list('')
  } catch (error) {
    throw rootError(error, path)
  } finally {
    await disk.stop()
  }
  try {
    accessSync(path, constants.W_OK | constants.X_OK)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'EIO'
    throw unwritable(new DiskError(code, `access: ${code}`, { cause }), path)
  }
}
