import { chownSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { repository } from '../support/cache.ts'
import { describeWithDocker } from '../support/containers.ts'
import { engines, isInstalled } from '../support/engines.ts'
import { authorize, makeKeys } from '../support/keys.ts'
import { findResource, kustomize } from '../support/kubernetes.ts'
import { createPodman, type Podman } from '../support/podman.ts'
import { buildNginxImage } from '../support/stand-in-nginx.ts'
import { syndImage } from '../support/synd-image.ts'
import { until } from '../support/wait.ts'
import { at, listAt, textAt, type Tree } from '../support/yaml-files.ts'

describeWithDocker('deploy/kubernetes/example-container in podman kube play', (docker) => {
  const parent = mkdtempSync(join(tmpdir(), 'synd-kube-'))
  const network = `synd-kube-${process.pid}`
  let pods: readonly [TestPod, TestPod]
  let podman: Podman

  beforeAll(async () => {
    for (const program of ['podman', 'catatonit', 'kubectl'] as const) {
      if (!isInstalled(program)) throw new Error(`install ${engines[program]}`)
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
    pods = await makePods()
    const keys = join(parent, 'keys')
    authorize(keys, [await makeKeys(keys, owner)])
    for (const pod of pods) {
      const file = join(parent, `${pod.name}.json`)
      const documents = [findResource(resources, 'ConfigMap'), podmanPod(template, pod, keys)]
      writeFileSync(file, documents.map((document) => JSON.stringify(document)).join('\n---\n'))
      await podman('kube', 'play', `--network=${network}`, `--ip=${pod.address}`, file)
    }
  })

  afterAll(async () => {
    await podman?.try('network', 'rm', '--force', network)
    await podman?.remove()
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

  /** Two pods with addresses on a network of their own. */
  async function makePods(): Promise<readonly [TestPod, TestPod]> {
    await podman('network', 'create', network)
    const [inspected] = JSON.parse(await podman('network', 'inspect', network))
    const subnet = textAt(inspected, 'subnets', 0, 'subnet').replace(/\.\d+\/\d+$/, '')
    const make = (name: string, last: number): TestPod => {
      const data = join(parent, `${name}-data`)
      mkdirSync(data)
      chownSync(data, owner.uid, owner.gid)
      return { name, data, address: `${subnet}.${last}` }
    }
    return [make('nginx-one', 11), make('nginx-two', 12)]
  }

  /**
   * The pod that the Deployment would make, with what Podman 4.3 cannot do replaced: it ignores defaultMode and fsGroup, so Secret
   * and volume are directories of the right owner; it publishes every containerPort on the host, where two pods would meet; it
   * has no Services, so the two addresses stand in /etc/hosts behind the Service's name.
   */
  function podmanPod(template: Tree, pod: TestPod, keys: string): Tree {
    const spec = structuredClone(Object(at(template, 'spec')))
    for (const container of listAt(spec, 'containers'))
      Reflect.deleteProperty(Object(container), 'ports')
    const paths = new Map([
      ['synd-keys', keys],
      ['data', pod.data],
    ])
    spec.volumes = listAt(spec, 'volumes').map((volume) => {
      const name = textAt(volume, 'name')
      const path = paths.get(name)
      return path === undefined ? volume : { name, hostPath: { path, type: 'Directory' } }
    })
    spec.hostAliases = pods.map(({ address }) => ({ ip: address, hostnames: ['synd'] }))
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: pod.name, labels: at(template, 'metadata', 'labels') },
      spec,
    }
  }
})

interface TestPod {
  readonly name: string
  readonly address: string
  /** Its volume on this machine. */
  readonly data: string
}

/** The example's runAsUser and fsGroup. */
const owner = { uid: 1000, gid: 1000 }
