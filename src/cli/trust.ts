import type { Settings } from '../config/complete.ts'
import { CredentialSource } from '../identity/credential-source.ts'
import { FileCredentials } from '../identity/file-credentials.ts'
import type { PrivateKey } from '../identity/keys.ts'
import { KnownHostsFile } from '../identity/known-hosts-file.ts'
import { AuthorizedKeys } from '../identity/trust.ts'
import type { Log } from '../observe/log.ts'
import type { Credentials } from '../rpc/credentials.ts'
import { loadOwnKey } from './own-key.ts'

/** Who we are and whom we believe. */
export interface Trust {
  readonly key: PrivateKey
  readonly authorized: AuthorizedKeys
  readonly knownHosts: KnownHostsFile
  /** Null: TLS is off. */
  readonly credentials: Credentials | null
  stop(): void
}

/** Loads keys and certificates as the settings name them and keeps them current. Throws `bad-key`. */
export async function openTrust(settings: Settings, log: Log): Promise<Trust> {
  const key = loadOwnKey(settings)
  const authorized = new AuthorizedKeys({ path: settings.sshAuthorizedKeys, log })
  const knownHosts = new KnownHostsFile({ path: settings.sshKnownHosts, log })
  authorized.start()
  try {
    knownHosts.start()
    const credentials = await openCredentials(settings, { key, authorized, log })
    return {
      key,
      authorized,
      knownHosts,
      credentials,
      stop: () => {
        credentials?.stop()
        knownHosts.stop()
        authorized.stop()
      },
    }
  } catch (error) {
    knownHosts.stop()
    authorized.stop()
    throw error
  }
}

async function openCredentials(
  settings: Settings,
  { key, authorized, log }: { key: PrivateKey; authorized: AuthorizedKeys; log: Log },
): Promise<(Credentials & { stop(): void }) | null> {
  const { tls } = settings
  switch (tls.kind) {
    case 'off':
      return null
    case 'files': {
      const files = { certificate: tls.cert, privateKey: tls.key, authorities: tls.ca }
      const credentials = new FileCredentials({ files, log })
      credentials.start()
      return credentials
    }
    case 'ssh-keys': {
      const credentials = new CredentialSource({
        privateKey: key.privateKey,
        trusted: authorized,
        log,
      })
      await credentials.start()
      return credentials
    }
  }
}
