import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { check } from './command.ts'
import type { DockerCommand } from './containers.ts'

/** An image with this machine's Prometheus in the place of the official one: same entrypoint, same arguments. */
export async function buildPrometheusImage(docker: DockerCommand): Promise<string> {
  const image = 'synd-deploy-test:prometheus'
  const context = mkdtempSync(join(tmpdir(), 'synd-prometheus-image-'))
  try {
    const program = (await check('sh', ['-c', 'command -v prometheus'])).trim()
    copyFileSync(program, join(context, 'prometheus'))
    chmodSync(join(context, 'prometheus'), 0o755)
    writeFileSync(
      join(context, 'Dockerfile'),
      'FROM debian:bookworm-slim\n' +
        'COPY prometheus /bin/prometheus\n' +
        'RUN mkdir -p /prometheus && chown 65534:65534 /prometheus\n' +
        'USER 65534\nENTRYPOINT ["/bin/prometheus"]\n',
    )
    await docker('build', '--tag', image, context)
    return image
  } finally {
    rmSync(context, { recursive: true, force: true })
  }
}
