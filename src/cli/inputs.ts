import { accessSync, constants } from 'node:fs'
import type { Settings } from '../config/complete.ts'
import { DiskError } from '../volume/disk.ts'
import { NodeDisk } from '../volume/node-disk.ts'
import { rootError, unwritable } from '../volume/ground/root.ts'
import { checkStateDir } from './state-dir.ts'
import { openTrust } from './trust.ts'

/**
 * Whether the keys, the certificates, the volume and the state directory that the settings name can be used, without changing any of them. Throws what
 * `synd run` would throw.
 */
export async function checkInputs(settings: Settings): Promise<void> {
  const trust = await openTrust(settings, () => {})
  trust.stop()
  await checkVolume(settings.volume)
  checkStateDir(settings)
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
