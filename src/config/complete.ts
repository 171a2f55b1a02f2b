import { hostname } from 'node:os'
import { join } from 'node:path'
import { SyndError } from '../core/errors.ts'
import { reservedName } from '../core/relative-path.ts'
import { badValue, givenOf, type GivenSettings } from './given.ts'
import { demandOwnPorts } from './listens.ts'
import { demandOutside } from './outside.ts'
import type { Values } from './schema.ts'

/** How the gRPC connections are protected. */
type TlsSettings =
  | { readonly kind: 'ssh-keys' }
  | { readonly kind: 'files'; readonly cert: string; readonly key: string; readonly ca: string }
  | { readonly kind: 'off' }

/** Everything that can be set, validated, with what follows from it filled in. All paths are absolute. */
export interface Settings extends Omit<
  Values,
  'stateDir' | 'peerName' | 'tls' | 'tlsCert' | 'tlsKey' | 'tlsCa'
> {
  readonly stateDir: string
  readonly peerName: string
  readonly tls: TlsSettings
}

/** Fills in what follows from other settings and checks what no setting can tell alone. Throws `bad-settings`. */
export function completeSettings(values: Values, given: GivenSettings): Settings {
  const { volume } = values
  const stateDir = values.stateDir ?? join(volume, reservedName)
  demandOutside(values, stateDir, given)
  demandOwnPorts(values, given)
  return {
    ...values,
    stateDir,
    peerName: values.peerName ?? hostname(),
    tls: completeTls(values, given),
  }
}

/** What an operator should know although it is no error. */
export function settingsWarnings(settings: Settings): readonly string[] {
  const warnings: string[] = []
  if (settings.peers.length === 0)
    warnings.push('SYND_PEERS is empty: there is nobody to sync with')
  if (settings.tls.kind === 'off')
    warnings.push('SYND_TLS is off: notifications are neither encrypted nor authenticated by Synd')
  if (settings.sshListen === null && settings.sshAdvertise === null)
    warnings.push(
      'SYND_SSH_LISTEN is off and SYND_SSH_ADVERTISE is empty: no peer can pull from here',
    )
  return warnings
}

const tlsFiles = ['tlsCert', 'tlsKey', 'tlsCa'] as const

function completeTls(values: Values, given: GivenSettings): TlsSettings {
  if (values.tls === 'files')
    return {
      kind: 'files',
      cert: needed('SYND_TLS_CERT', values.tlsCert),
      key: needed('SYND_TLS_KEY', values.tlsKey),
      ca: needed('SYND_TLS_CA', values.tlsCa),
    }
  for (const name of tlsFiles) {
    const path = values[name]
    if (path !== null)
      throw badValue(
        name,
        givenOf(name, given, path),
        `nothing, because SYND_TLS is ${values.tls} and not files`,
      )
  }
  return { kind: values.tls }
}

function needed(variable: string, path: string | null): string {
  if (path !== null) return path
  throw new SyndError(
    'bad-settings',
    `${variable} is empty: SYND_TLS=files needs a PEM file; set it`,
  )
}
