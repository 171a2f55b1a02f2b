import type { PullTarget } from '../../src/engine/ports.ts'
import { createTransfer, type ScpTransfer, type TransferOptions } from '../../src/transfer/pull.ts'
import { createSource, type Source, type SourceOptions } from '../../src/transfer/source.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { diskReader } from '../../src/transfer/source/disk-reader.ts'
import { NodeDisk } from '../../src/volume/node-disk.ts'
import { countedReader } from './counted-reader.ts'
import { parseKnownHosts } from '../../src/identity/known-hosts.ts'
import { fingerprintOfBlob } from '../../src/identity/public-key.ts'
import { makeKey, type TestKey } from './keys.ts'
import { volumeSource } from './volume-source.ts'

/** What was counted and logged. */
export function recorder() {
  const rejections: string[] = []
  const lines: { level: string; message: string; text: string }[] = []
  return {
    rejections,
    lines,
    rejected: (surface: string, reason: string): void => {
      rejections.push(`${surface}:${reason}`)
    },
    log: (level: string, message: string, fields?: Readonly<Record<string, unknown>>): void => {
      lines.push({ level, message, text: JSON.stringify(fields ?? {}) })
    },
  }
}

/** An embedded source on real files and a real socket, and whom it knows. */
export async function startSource(
  options: {
    readonly key?: TestKey
    readonly authorized?: TestKey[]
    readonly limits?: NonNullable<SourceOptions['limits']>
    readonly onRead?: (position: number) => void
  } = {},
) {
  const directory = temporaryDirectory()
  const key = options.key ?? makeKey()
  const authorized = options.authorized ?? []
  const record = recorder()
  const disk = new NodeDisk({ rootPath: directory.path })
  disk.start()
  const { reader, opened } = countedReader(diskReader(disk), options.onRead)
  const volume = volumeSource(directory.path)
  const served: { key: string; sizeBytes: number }[] = []
  const source: Source = createSource({
    listen: { host: '127.0.0.1', port: 0 },
    hostKey: key.sshPem,
    catalogue: volume.catalogue,
    reader,
    authorized: () => authorized,
    rejected: record.rejected,
    log: record.log,
    served: (key, sizeBytes) => served.push({ key, sizeBytes }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  })
  await source.start()
  const target: PullTarget = {
    address: '127.0.0.1:50051',
    host: '127.0.0.1',
    key: key.fingerprint,
    source: { kind: 'embedded', port: source.port() },
  }
  return {
    source,
    volume,
    target,
    key,
    authorized,
    opened,
    served,
    record,
    port: source.port(),
    stop: async () => {
      await source.stop()
      await disk.stop()
      directory.remove()
    },
  }
}

/** A sink with a key of its own that trusts `trusted`. */
export function startTransfer(
  options: {
    readonly key?: TestKey
    readonly trusted?: TestKey[]
    readonly limits?: NonNullable<TransferOptions['limits']>
    readonly knownHosts?: TransferOptions['knownHosts']
  } = {},
): {
  transfer: ScpTransfer
  key: TestKey
  record: ReturnType<typeof recorder>
  trusted: TestKey[]
} {
  const key = options.key ?? makeKey()
  const trusted = options.trusted ?? []
  const record = recorder()
  const transfer = createTransfer({
    privateKey: key.sshPem,
    fingerprintOfBlob,
    isAuthorized: (fingerprint) => trusted.some((other) => other.fingerprint === fingerprint),
    knownHosts: options.knownHosts ?? parseKnownHosts(''),
    rejected: record.rejected,
    log: record.log,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  })
  return { transfer, key, record, trusted }
}

/** A source and a sink that trust each other. */
export async function startPair(
  options: Parameters<typeof startSource>[0] & {
    readonly sink?: Parameters<typeof startTransfer>[0]
  } = {},
) {
  const peer = await startSource(options)
  const sink = startTransfer({ ...options.sink, trusted: [peer.key] })
  peer.authorized.push(sink.key)
  return {
    ...peer,
    transfer: sink.transfer,
    sink,
    stop: async () => {
      await sink.transfer.stop()
      await peer.stop()
    },
  }
}
