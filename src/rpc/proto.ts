import { join } from 'node:path'
import { loadPackageDefinition } from '@grpc/grpc-js'
import { loadSync, type PackageDefinition } from '@grpc/proto-loader'
import type { ProtoGrpcType } from './generated/synd.ts'

/** The messages and the service of `synd.v1`. */
export type Proto = ProtoGrpcType['synd']['v1']

/** The package's root, from src/rpc as from dist/rpc. */
const root = join(import.meta.dirname, '..', '..')

let loaded: Proto | null = null

/** Reads proto/synd/v1/synd.proto once, with the options that scripts/generate-proto-types.ts makes the types for. */
export function proto(): Proto {
  loaded ??= parseProto(
    loadSync('synd/v1/synd.proto', {
      includeDirs: [join(root, 'proto')],
      longs: String,
      defaults: true,
      oneofs: true,
    }),
  )
  return loaded
}

function parseProto(definition: PackageDefinition): Proto {
  return (loadPackageDefinition(definition) as unknown as ProtoGrpcType).synd.v1
}
