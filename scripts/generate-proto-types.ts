// Writes src/rpc/generated from proto/: `npm run proto`. A test holds that what is committed is what this makes.
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

/** Where the generated types are committed. */
export const generatedDirectory = join(root, 'src', 'rpc', 'generated')

/** Generates the types of the protocol into `directory`, which is emptied before. */
export function generateProtoTypes(directory: string): void {
  rmSync(directory, { recursive: true, force: true })
  const generator = '@grpc/proto-loader/build/bin/proto-loader-gen-types.js'
  execFileSync(
    process.execPath,
    [
      join(root, 'node_modules', generator),
      // First: what follows a list would be taken for one of its elements.
      '-I',
      'proto',
      `--outDir=${directory}`,
      '--grpcLib=@grpc/grpc-js',
      '--importFileExtension=.ts',
      '--targetFileExtension=.ts',
      '--longs=String',
      '--defaults',
      '--oneofs',
      'synd/v1/synd.proto',
      'grpc/health/v1/health.proto',
    ],
    { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
  )
}

if (import.meta.main) generateProtoTypes(generatedDirectory)
