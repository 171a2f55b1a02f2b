import { repository } from './cache.ts'
import { check } from './command.ts'
import type { Docker } from './dockerd.ts'
import { ensureBaseImages } from './stand-in-images.ts'

export const syndImage = 'synd:deploy-test'

/** Builds the shipped Dockerfile, unchanged, with the classic builder. Layers last between runs. */
export async function buildSyndImage(docker: Docker): Promise<string> {
  await ensureBaseImages(docker.environment)
  // The host's network: npm and apt inside the build reach what this machine reaches.
  await check('docker', ['build', '--network=host', '--tag', syndImage, repository], {
    environment: docker.environment,
    timeoutMs: 1_500_000,
  })
  return syndImage
}
