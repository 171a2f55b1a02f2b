import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { repository } from '../support/cache.ts'
import { describeWithDocker } from '../support/containers.ts'
import { isInstalled } from '../support/engines.ts'
import { makeKeys } from '../support/keys.ts'
import { findResource, kustomize } from '../support/kubernetes.ts'
import { createPodman, type Podman } from '../support/podman.ts'
import { buildNginxImage } from '../support/stand-in-nginx.ts'
import { syndImage } from '../support/synd-image.ts'
import { until } from '../support/wait.ts'
import { at, listAt, textAt, type Tree } from '../support/yaml-files.ts'

describeWithDocker('deploy/kubernetes/example-container in podman kube play', (docker) => {
  const parent = mkdtempSync(join(tmpdir(), 'synd-kube-'))
  const pods = [
    { name: 'nginx-one', address: '10.123.77.11' },
    { name: 'nginx-two', address: '10.123.77.12' },
  ]
  const network = `synd-kube-${process.pid}`
  let podman: Podman

  beforeAll(async () => {
    for (const program of ['podman', 'catatonit', 'kubectl']) {
      if (!isInstalled(program))
        throw new Error(`apt-get install ${program === 'kubectl' ? 'kubernetes-client' : program}`)
    }
    podman = createPodman()
    cpSync(join(repository, 'deploy', 'kubernetes'), join(parent, 'kubernetes'), {
      recursive: true,
    })
    const resources = await kustomize(join(parent, 'kubernetes', 'example-container'))
    const template = at(findResource(resources, 'Deployment'), 'spec', 'template')
    const images = listAt(template, 'spec', 'containers').map((container) =>
      textAt(container, 'image'),
    )
    for (const image of images) {
      if (image.startsWith('synd:')) await docker('tag', syndImage, image)
      else await buildNginxImage(docker, image)
      await podman.load(docker, image)
    }
    await podman('network', 'create', '--subnet=10.123.77.0/24', network)
    const publicLine = await makeKeys(join(parent, 'keys'), { uid: 0, gid: 0 })
    const secret = secretWithKeys(
      readFileSync(join(parent, 'keys', 'id_ed25519'), 'utf8'),
      publicLine,
    )
    for (const pod of pods) {
      const file = join(parent, `${pod.name}.json`)
      const documents = [secret, findResource(resources, 'ConfigMap'), podOf(template, pod.name)]
      writeFileSync(file, documents.map((document) => JSON.stringify(document)).join('\n---\n'))
      await podman('kube', 'play', `--network=${network}`, `--ip=${pod.address}`, file)
    }
  })

  afterAll(async () => {
    await podman.remove()
    await podman.try('network', 'rm', '--force', network)
    rmSync(parent, { recursive: true, force: true })
  })

  test('both pods run Synd and become ready', async () => {
    for (const pod of pods) {
      await until(
        `${pod.name} is ready`,
        async () => (await fetch(`http://${pod.address}:9464/readyz`)).ok,
        {
          describe: async () => (await podman.try('logs', `${pod.name}-synd`)).output,
        },
      )
    }
  })

  test('what is written in one is served by the nginx of the other', async () => {
    const [one, two] = pods
    if (one === undefined || two === undefined) throw new Error('two pods')
    for (const [from, to] of [
      [one, two],
      [two, one],
    ] as const) {
      const text = `written in ${from.name}\n`
      await podman(
        'exec',
        `${from.name}-synd`,
        'sh',
        '-c',
        `echo 'written in ${from.name}' > /data/${from.name}.txt`,
      )
      await until(
        `${to.name} serves it`,
        async () => {
          const response = await fetch(`http://${to.address}:8080/${from.name}.txt`)
          return response.ok && (await response.text()) === text
        },
        { describe: async () => (await podman.try('logs', `${to.name}-synd`)).output },
      )
    }
  })

  test('nginx refuses /.synd, and Synd may not be told so from elsewhere', async () => {
    for (const pod of pods) {
      for (const path of ['/.synd', '/.synd/', '/.synd/index.sqlite', '/x/.synd/y']) {
        expect((await fetch(`http://${pod.address}:8080${path}`)).status).toBe(404)
      }
      expect((await fetch(`http://${pod.address}:9464/approve`, { method: 'POST' })).status).toBe(
        403,
      )
    }
  })

  test('podman stop drains', async () => {
    for (const pod of pods) {
      await podman('stop', '--time=20', `${pod.name}-synd`)
      expect(await podman('inspect', '--format={{.State.ExitCode}}', `${pod.name}-synd`)).toBe('0')
    }
  })

  /** A pod as the Deployment would make it, and instead of a cluster's DNS the two addresses behind the name `synd`. */
  function podOf(template: Tree, name: string): Tree {
    const spec = Object(at(template, 'spec'))
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels: at(template, 'metadata', 'labels') },
      spec: { ...spec, hostAliases: pods.map((pod) => ({ ip: pod.address, hostnames: ['synd'] })) },
    }
  }
})

function secretWithKeys(privateKey: string, publicLine: string): Tree {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'synd-keys' },
    data: { id_ed25519: base64(privateKey), authorized_keys: base64(publicLine) },
  }
}
