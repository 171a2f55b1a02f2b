import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { schema } from '../../../src/config/schema.ts'
import { repository } from '../support/cache.ts'
import { describeWith } from '../support/engines.ts'
import {
  findResource,
  kustomize,
  restrictedViolations,
  unknownKeys,
  validateResource,
} from '../support/kubernetes.ts'
import { yamlBlocks } from '../support/readme.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { at, listAt, textAt, type Tree } from '../support/yaml-files.ts'

const kubernetes = join(repository, 'deploy', 'kubernetes')
const examples = [
  { name: 'example', kind: 'StatefulSet', list: 'initContainers' },
  { name: 'example-container', kind: 'Deployment', list: 'containers' },
]

describeWith('deploy/kubernetes', ['kubectl'], () => {
  test.each(examples)('$name: every resource is valid by its schema', async ({ name }) => {
    const resources = await kustomize(join(kubernetes, name))
    for (const resource of resources) validateResource(resource)
    expect(await unknownKeys(resources)).toBe('')
  })

  test('the schemas notice a misspelt key and a wrong type', async () => {
    const resources = await kustomize(join(kubernetes, 'example'))
    const misspelt = structuredClone(findResource(resources, 'Service', 'synd'))
    Object.assign(Object(at(misspelt, 'spec', 'ports', 0)), { tragetPort: 'synd-grpc' })
    expect(await unknownKeys([misspelt])).toContain('tragetPort')
    const wrong = structuredClone(findResource(resources, 'Service', 'synd'))
    Object.assign(Object(at(wrong, 'spec')), { publishNotReadyAddresses: 'yes' })
    expect(() => validateResource(wrong)).toThrow('publishNotReadyAddresses')
  })

  test.each(examples)(
    '$name: Synd sees the volume of the application, and has its keys',
    async ({ name, kind, list }) => {
      const pod = at(
        findResource(await kustomize(join(kubernetes, name)), kind),
        'spec',
        'template',
        'spec',
      )
      const synd = container(pod, list, 'synd')
      const nginx = container(pod, 'containers', 'nginx')
      expect(mountedVolume(synd, '/data')).toBe('data')
      expect(mountedVolume(nginx, '/usr/share/nginx/html')).toBe('data')
      expect(mountedVolume(synd, '/etc/synd/ssh')).toBe('synd-keys')
      const keys = listAt(pod, 'volumes').find((volume) => at(volume, 'name') === 'synd-keys')
      expect(at(keys, 'secret', 'defaultMode')).toBe(0o440)
      expect(at(pod, 'securityContext', 'fsGroup')).toBe(1000)
    },
  )

  test.each(examples)('$name: the pods are "restricted"', async ({ name, kind }) => {
    const resources = await kustomize(join(kubernetes, name))
    const pod = at(findResource(resources, kind), 'spec', 'template', 'spec')
    expect(restrictedViolations(pod)).toEqual([])
    expect(
      at(
        findResource(resources, 'Namespace'),
        'metadata',
        'labels',
        'pod-security.kubernetes.io/enforce',
      ),
    ).toBe('restricted')
  })

  test.each(examples)(
    '$name: a lost peer restarts nothing and takes nothing out of service',
    async ({ name, kind, list }) => {
      const pod = at(
        findResource(await kustomize(join(kubernetes, name)), kind),
        'spec',
        'template',
        'spec',
      )
      const synd = container(pod, list, 'synd')
      const path = (probe: string) => at(synd, probe, 'httpGet', 'path')
      expect([path('startupProbe'), path('livenessProbe'), path('readinessProbe')]).toEqual([
        '/startupz',
        '/livez',
        '/readyz',
      ])
      expect(at(pod, 'enableServiceLinks')).toBe(false)
      expect(at(synd, 'lifecycle', 'preStop', 'exec', 'command')).toEqual(['sleep', '5'])
    },
  )

  test('as a native sidecar Synd starts before the application and before its other init containers', async () => {
    const pod = at(await componentOn('sidecar', 'StatefulSet'), 'spec', 'template', 'spec')
    const initial = listAt(pod, 'initContainers')
    expect(initial.map((one) => at(one, 'name'))).toEqual(['synd', 'migrate'])
    expect(initial.map((one) => at(one, 'restartPolicy'))).toEqual(['Always', undefined])
  })

  test.each(['sidecar', 'container'])(
    'the component %s leaves the rest of a workload as it was',
    async (component) => {
      const workload = await componentOn(component, 'Deployment')
      const pod = at(workload, 'spec', 'template', 'spec')
      expect(container(pod, 'containers', 'app')).toEqual({
        name: 'app',
        image: 'app:1',
        env: [{ name: 'A', value: 'b' }],
        volumeMounts: [{ name: 'data', mountPath: '/srv' }],
      })
      expect(listAt(pod, 'volumes').map((volume) => at(volume, 'name'))).toContain('data')
      expect(at(workload, 'spec', 'template', 'metadata', 'labels')).toEqual({
        app: 'theirs',
        synd: 'enabled',
      })
      validateResource(workload)
    },
  )

  test('the patch in deploy/README.md for a volume of another name is right', async () => {
    const patch = yamlBlocks('deploy/README.md').find((block) => block.includes('uploads')) ?? ''
    const overlay = withComponent('sidecar', 'StatefulSet', { synd: 'enabled' })
    const kustomization = join(overlay, 'kustomization.yaml')
    const before: object = JSON.parse(readFileSync(kustomization, 'utf8'))
    writeFileSync(kustomization, JSON.stringify({ ...before, ...Object(parse(patch)) }))
    const pod = at(
      findResource(await kustomize(overlay), 'StatefulSet'),
      'spec',
      'template',
      'spec',
    )
    const synd = container(pod, 'initContainers', 'synd')
    expect(mountedVolume(synd, '/data')).toBe('uploads')
    expect(mountedVolume(synd, '/etc/synd/ssh')).toBe('synd-keys')
    expect(at(synd, 'restartPolicy')).toBe('Always')
  })

  test('a workload without the label is left alone', async () => {
    const resources = await kustomize(withComponent('sidecar', 'Deployment', {}))
    expect(
      listAt(findResource(resources, 'Deployment'), 'spec', 'template', 'spec', 'containers'),
    ).toHaveLength(1)
  })

  test('the pods of a StatefulSet start together and find each other before they are ready', async () => {
    const resources = await kustomize(join(kubernetes, 'example'))
    expect(at(findResource(resources, 'StatefulSet'), 'spec', 'podManagementPolicy')).toBe(
      'Parallel',
    )
    const service = findResource(resources, 'Service', 'synd')
    expect(at(service, 'spec', 'clusterIP')).toBe('None')
    expect(at(service, 'spec', 'publishNotReadyAddresses')).toBe(true)
    const synd = container(
      at(findResource(resources, 'StatefulSet'), 'spec', 'template', 'spec'),
      'initContainers',
      'synd',
    )
    expect(listAt(synd, 'env').map((one) => at(one, 'value'))).toContain('dns:synd')
  })

  test('only synced pods reach gRPC and SSH, only Prometheus the metrics, and everybody the application', async () => {
    const policy = findResource(await kustomize(join(kubernetes, 'example')), 'NetworkPolicy')
    const openTo = (port: number) =>
      listAt(policy, 'spec', 'ingress')
        .filter((rule) =>
          listAt(rule, 'ports').some(
            (range) =>
              at(range, 'protocol') === 'TCP' &&
              Number(at(range, 'port')) <= port &&
              port <= Number(at(range, 'endPort') ?? at(range, 'port')),
          ),
        )
        .map((rule) => JSON.stringify(at(rule, 'from') ?? 'everybody'))
    const synced = '[{"podSelector":{"matchLabels":{"synd":"enabled"}}}]'
    expect(openTo(50051)).toEqual([synced])
    expect(openTo(2222)).toEqual([synced])
    expect(openTo(9464)).toHaveLength(1)
    expect(openTo(9464)[0]).toContain('prometheus')
    for (const port of [1, 80, 2221, 2223, 8080, 9463, 9465, 50050, 50052, 65535]) {
      expect(openTo(port)).toEqual(['"everybody"'])
    }
  })

  test('the PodMonitor scrapes a port that the sidecar has', async () => {
    const resources = await kustomize(join(kubernetes, 'example'))
    const monitor = findResource(resources, 'PodMonitor')
    const synd = container(
      at(findResource(resources, 'StatefulSet'), 'spec', 'template', 'spec'),
      'initContainers',
      'synd',
    )
    expect(listAt(synd, 'ports').map((port) => at(port, 'name'))).toContain(
      at(monitor, 'spec', 'podMetricsEndpoints', 0, 'port'),
    )
  })

  test('nginx refuses /.synd', async () => {
    const config = findResource(await kustomize(join(kubernetes, 'example')), 'ConfigMap')
    expect(textAt(config, 'data', 'default.conf')).toContain('\\.synd(/|$)')
  })

  test.each(examples)(
    '$name: Synd gets only settings that it knows',
    async ({ name, kind, list }) => {
      const pod = at(
        findResource(await kustomize(join(kubernetes, name)), kind),
        'spec',
        'template',
        'spec',
      )
      const known: readonly string[] = Object.values(schema).map((setting) => setting.env)
      for (const variable of listAt(container(pod, list, 'synd'), 'env')) {
        expect(known).toContain(at(variable, 'name'))
      }
    },
  )

  test.each(examples)(
    '$name: the image is the one of this version',
    async ({ name, kind, list }) => {
      const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
      const pod = at(
        findResource(await kustomize(join(kubernetes, name)), kind),
        'spec',
        'template',
        'spec',
      )
      expect(at(container(pod, list, 'synd'), 'image')).toBe(`synd:${version}`)
    },
  )
})

function container(pod: Tree, list: string, name: string): Tree {
  return listAt(pod, list).find((one) => at(one, 'name') === name)
}

function mountedVolume(of: Tree, path: string): Tree {
  return at(
    listAt(of, 'volumeMounts').find((mount) => at(mount, 'mountPath') === path),
    'name',
  )
}

async function componentOn(component: string, kind: string): Promise<Tree> {
  const directory = withComponent(component, kind, { synd: 'enabled' })
  return findResource(await kustomize(directory), kind)
}

/** Somebody else's workload, with the component beside it as in a checkout. */
function withComponent(component: string, kind: string, labels: Record<string, string>): string {
  const directory = temporaryDirectory('kustomize')
  for (const name of ['shared', component]) {
    cpSync(join(kubernetes, name), join(directory, name), { recursive: true })
  }
  const workload = {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'theirs', labels },
    spec: {
      ...(kind === 'StatefulSet' ? { serviceName: 'theirs' } : {}),
      selector: { matchLabels: { app: 'theirs' } },
      template: {
        metadata: { labels: { app: 'theirs' } },
        spec: {
          initContainers: [{ name: 'migrate', image: 'migrate:1' }],
          containers: [
            {
              name: 'app',
              image: 'app:1',
              env: [{ name: 'A', value: 'b' }],
              volumeMounts: [{ name: 'data', mountPath: '/srv' }],
            },
          ],
          volumes: [{ name: 'data', emptyDir: {} }],
        },
      },
    },
  }
  const overlay = join(directory, 'overlay')
  cpSync(join(kubernetes, 'example', 'namespace.yaml'), join(overlay, 'namespace.yaml'))
  writeFileSync(join(overlay, 'workload.yaml'), JSON.stringify(workload))
  writeFileSync(
    join(overlay, 'kustomization.yaml'),
    JSON.stringify({ resources: ['workload.yaml'], components: [`../${component}`] }),
  )
  return overlay
}
