import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { cacheDirectory, repository } from './cache.ts'
import { check, run } from './command.ts'

/** The two images that the Dockerfile starts from. */
export const baseImages = ['debian:bookworm-slim', 'node:24-bookworm-slim'] as const

/** Where the stand-in keeps the machine's certificates, for npm behind a proxy of its own. */
const certificatesPath = '/opt/machine-certificates.crt'

/**
 * Makes the base images where no registry can be reached: Debian by debootstrap, and the same with the Node that the
 * project pins, laid out as in the official image (binary, headers, npm in /usr/local). Images that Docker has stay.
 */
export async function ensureBaseImages(
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  for (const image of baseImages) {
    const known = await run('docker', ['image', 'inspect', image], { environment })
    if (known.code === 0) continue
    const root = await debianRoot()
    await importImage(image, image.startsWith('node') ? await nodeRoot(root) : root, environment)
  }
}

/** A root file system as slim as Debian's own slim image; made once, about a minute. */
async function debianRoot(): Promise<string> {
  const root = join(cacheDirectory('bookworm'), 'root')
  if (existsSync(root)) return root
  const unfinished = `${root}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  await check('debootstrap', ['--variant=minbase', 'bookworm', unfinished, debianMirror()], {
    environment: { DEBIAN_FRONTEND: 'noninteractive' },
  })
  for (const path of [
    'usr/share/doc',
    'usr/share/man',
    'usr/share/info',
    'usr/share/locale',
    'var/cache/apt',
    'var/lib/apt/lists',
    'var/log',
  ]) {
    rmSync(join(unfinished, path), { recursive: true, force: true })
    mkdirSync(join(unfinished, path), { recursive: true })
  }
  copyAptSettings(unfinished)
  renameSync(unfinished, root)
  return root
}

/** The Debian root with Node in /usr/local. */
async function nodeRoot(debian: string): Promise<string> {
  const root = join(cacheDirectory('bookworm-node'), 'root')
  if (existsSync(root)) return root
  const unfinished = `${root}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  await check('cp', ['-a', debian, unfinished])
  const local = join(unfinished, 'usr', 'local')
  const pinned = pinnedNode()
  cpSync(join(pinned, 'bin', 'node'), join(local, 'bin', 'node'))
  cpSync(join(pinned, 'include'), join(local, 'include'), { recursive: true })
  const npm = (await check('npm', ['root', '--global'])).trim()
  cpSync(join(npm, 'npm'), join(local, 'lib', 'node_modules', 'npm'), { recursive: true })
  for (const name of ['npm', 'npx']) {
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(local, 'bin', name))
  }
  const certificates = process.env['NODE_EXTRA_CA_CERTS']
  if (certificates !== undefined) {
    cpSync(certificates, join(unfinished, certificatesPath), { dereference: true })
  }
  renameSync(unfinished, root)
  return root
}

async function importImage(
  image: string,
  root: string,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const change = existsSync(join(root, certificatesPath))
    ? ['--change', `ENV NODE_EXTRA_CA_CERTS=${certificatesPath}`]
    : []
  const quoted = [...change, '-', image].map((word) => `'${word}'`).join(' ')
  await check('sh', ['-c', `tar --numeric-owner -C '${root}' -c . | docker import ${quoted}`], {
    environment,
  })
}

/** The npm package `node` has the binary and its headers; `npm install x` prunes the headers, `npm ci` does not. */
function pinnedNode(): string {
  const nested = join(repository, 'node_modules', 'node', 'node_modules')
  const name = existsSync(nested)
    ? readdirSync(nested).find((entry) => entry.startsWith('node-linux-'))
    : undefined
  if (name === undefined || !existsSync(join(nested, name, 'include', 'node', 'node.h'))) {
    throw new Error('the headers of the pinned Node are not there: run npm ci')
  }
  return join(nested, name)
}

/** Where this machine gets its Debian packages from. */
function debianMirror(): string {
  for (const file of aptSources()) {
    const match = /^(?:URIs:|deb)\s+(?:\[[^\]]*\]\s+)?(\S*\/debian\/?)(?:\s|$)/m.exec(
      readFileSync(file, 'utf8'),
    )
    if (match?.[1] !== undefined) return match[1]
  }
  throw new Error('no Debian mirror in the sources of apt: debootstrap needs one')
}

function aptSources(): string[] {
  const candidates = ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list']
  return candidates.filter((file) => existsSync(file))
}

/** The build stage installs packages: from where this machine does. */
function copyAptSettings(root: string): void {
  for (const file of aptSources()) {
    cpSync(file, join(root, file))
    if (file.endsWith('.sources')) writeFileSync(join(root, 'etc/apt/sources.list'), '')
  }
  // A mirror may be a snapshot, older than its own expiry date.
  writeFileSync(
    join(root, 'etc/apt/apt.conf.d/80stand-in'),
    'Acquire::Check-Valid-Until "false";\nAcquire::Check-Date "false";\nAcquire::Languages "none";\n',
  )
}
