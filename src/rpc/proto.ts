import { join } from 'node:path'
import { loadPackageDefinition } from '@grpc/grpc-js'
import { loadSync, type PackageDefinition } from '@grpc/proto-loader'
import type { ProtoGrpcType as HealthProtoGrpcType } from './generated/health.ts'
import type { HealthDefinition } from './generated/grpc/health/v1/Health.ts'
import type { ProtoGrpcType } from './generated/synd.ts'

/** The messages and the service of `synd.v1`. */
export type Proto = ProtoGrpcType['synd']['v1']

/** The package's root, from src/rpc as from dist/rpc. */
const root = join(import.meta.dirname, '..', '..')

let loaded: Proto | null = null

/** Reads proto/synd/v1/synd.proto once, with the options that scripts/generate-proto-types.ts makes the types for. */
export function proto(): Proto {
  loaded ??= parseProto(load('synd/v1/synd.proto'))
  return loaded
}

/** The standard health service. */
export function healthDefinition(): HealthDefinition {
  return parseHealth(load('grpc/health/v1/health.proto'))
}

function load(path: string): PackageDefinition {
  return loadSync(path, {
    includeDirs: [join(root, 'proto')],
    longs: String,
    defaults: true,
    oneofs: true,
  })
}

function parseProto(definition: PackageDefinition): Proto {
  return (loadPackageDefinition(definition) as unknown as ProtoGrpcType).synd.v1
}

function parseHealth(definition: PackageDefinition): HealthDefinition {
  const loaded = loadPackageDefinition(definition) as unknown as HealthProtoGrpcType
  return loaded.grpc.health.v1.Health.service
}
