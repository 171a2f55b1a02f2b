import type { TestProject } from 'vitest/node'
import { isInstalled } from './engines.ts'
import { startDocker } from './dockerd.ts'
import { buildSyndImage } from './synd-image.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** How to reach the Docker daemon that has Synd's image; null where there can be none. */
    docker: { readonly environment: Readonly<Record<string, string>> } | null
  }
}

/** One Docker daemon and one build of the image for all tests of the run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const docker = isInstalled('docker') ? await startDocker() : null
  if (docker === null) {
    project.provide('docker', null)
    return async () => {}
  }
  try {
    await buildSyndImage(docker)
  } catch (error) {
    await docker.stop()
    throw error
  }
  project.provide('docker', { environment: docker.environment })
  return () => docker.stop()
}
