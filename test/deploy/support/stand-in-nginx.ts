import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DockerCommand } from './containers.ts'

/** As in the image that the example names: port 8080, no root, everything it writes in /tmp, sites in conf.d. */
const settings = `pid /tmp/nginx.pid;
error_log /dev/stderr;
events {}
http {
    access_log off;
    client_body_temp_path /tmp/client;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;
    include /etc/nginx/conf.d/*.conf;
}
`

/** Debian's nginx under the name of the image in the example. */
export async function buildNginxImage(docker: DockerCommand, name: string): Promise<void> {
  const context = mkdtempSync(join(tmpdir(), 'synd-nginx-image-'))
  try {
    writeFileSync(join(context, 'nginx.conf'), settings)
    writeFileSync(
      join(context, 'Dockerfile'),
      'FROM debian:bookworm-slim\n' +
        'RUN apt-get update && apt-get install -y --no-install-recommends nginx-light && rm -rf /etc/nginx/conf.d/*\n' +
        'COPY nginx.conf /etc/nginx/nginx.conf\n' +
        'CMD ["nginx", "-g", "daemon off;"]\n',
    )
    await docker('build', '--network=host', '--tag', name, context)
  } finally {
    rmSync(context, { recursive: true, force: true })
  }
}
