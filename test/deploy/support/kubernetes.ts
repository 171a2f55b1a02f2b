import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor'
import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule'
import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap'
import { Namespace } from 'kubernetes-models/v1/Namespace'
import { Service } from 'kubernetes-models/v1/Service'
import { repository } from './cache.ts'
import { check, run } from './command.ts'
import { at, listAt, parseDocuments, textAt, type Tree } from './yaml-files.ts'

interface Kind {
  readonly model: new (resource: never) => { validate(): void }
  /** Where the type is; its name is the kind with an I before it. */
  readonly module: string
}

const operator = '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1'

const kinds: Readonly<Record<string, Kind>> = {
  'apps/v1 Deployment': { model: Deployment, module: 'kubernetes-models/apps/v1' },
  'apps/v1 StatefulSet': { model: StatefulSet, module: 'kubernetes-models/apps/v1' },
  'monitoring.coreos.com/v1 PodMonitor': { model: PodMonitor, module: operator },
  'monitoring.coreos.com/v1 PrometheusRule': { model: PrometheusRule, module: operator },
  'networking.k8s.io/v1 NetworkPolicy': {
    model: NetworkPolicy,
    module: 'kubernetes-models/networking.k8s.io/v1',
  },
  'v1 ConfigMap': { model: ConfigMap, module: 'kubernetes-models/v1' },
  'v1 Namespace': { model: Namespace, module: 'kubernetes-models/v1' },
  'v1 Service': { model: Service, module: 'kubernetes-models/v1' },
}

/** The resources that `kubectl kustomize` makes of a directory. */
export async function kustomize(directory: string): Promise<readonly Tree[]> {
  return parseDocuments(await check('kubectl', ['kustomize', directory]))
}

/** Throws unless the resource is valid by the schema of its kind. Keys that the schema does not know pass: see below. */
export function validateResource(resource: Tree): void {
  new (kindOf(resource).model)(resource as never).validate()
}

/** Misspelt keys, at any depth: what the compiler says of the resources written as literals of their types. */
export async function unknownKeys(resources: readonly Tree[]): Promise<string> {
  const cache = join(repository, '.cache')
  mkdirSync(cache, { recursive: true })
  const directory = mkdtempSync(join(cache, 'kubernetes-types-'))
  try {
    const lines = resources.map((resource, index) => {
      const type = `I${textAt(resource, 'kind')}`
      const source = `${kindOf(resource).module}/${textAt(resource, 'kind')}`
      return `export const r${index}: import('${source}').${type} = ${JSON.stringify(resource, null, 2)}`
    })
    writeFileSync(join(directory, 'resources.ts'), lines.join('\n'))
    const options = [
      '--ignoreConfig',
      '--module',
      'nodenext',
      '--strict',
      '--skipLibCheck',
      '--types',
      '',
      '--noEmit',
      '--pretty',
      'false',
    ]
    const compiler = join(repository, 'node_modules', '.bin', 'tsc')
    const result = await run(compiler, [...options, join(directory, 'resources.ts')], {
      cwd: directory,
    })
    return result.output
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function kindOf(resource: Tree): Kind {
  const type = `${textAt(resource, 'apiVersion')} ${textAt(resource, 'kind')}`
  const kind = kinds[type]
  if (kind === undefined) throw new Error(`no schema for ${type}`)
  return kind
}

/** The one resource of that kind (and name). */
export function findResource(resources: readonly Tree[], kind: string, name?: string): Tree {
  const found = resources.filter(
    (resource) =>
      at(resource, 'kind') === kind &&
      (name === undefined || at(resource, 'metadata', 'name') === name),
  )
  if (found.length !== 1) throw new Error(`${found.length} resources ${kind} ${name ?? ''}`)
  return found[0]
}

/** What a pod does that the Pod Security Standard "restricted" forbids; empty for nothing. */
export function restrictedViolations(podSpec: Tree): readonly string[] {
  const violations: string[] = []
  for (const key of ['hostNetwork', 'hostPID', 'hostIPC']) {
    if (at(podSpec, key) === true) violations.push(key)
  }
  const allowed = [
    'configMap',
    'csi',
    'downwardAPI',
    'emptyDir',
    'ephemeral',
    'persistentVolumeClaim',
    'projected',
    'secret',
  ]
  for (const volume of listAt(podSpec, 'volumes')) {
    const kinds = Object.keys(Object(volume)).filter((key) => key !== 'name')
    if (kinds.some((kind) => !allowed.includes(kind))) violations.push(`volume ${kinds.join()}`)
  }
  for (const container of [
    ...listAt(podSpec, 'initContainers'),
    ...listAt(podSpec, 'containers'),
  ]) {
    const name = textAt(container, 'name')
    const setting = (...keys: string[]) =>
      at(container, 'securityContext', ...keys) ?? at(podSpec, 'securityContext', ...keys)
    if (setting('runAsNonRoot') !== true) violations.push(`${name} runAsNonRoot`)
    if (setting('runAsUser') === 0) violations.push(`${name} runAsUser`)
    if (setting('allowPrivilegeEscalation') !== false) violations.push(`${name} escalation`)
    if (!listAt(container, 'securityContext', 'capabilities', 'drop').includes('ALL'))
      violations.push(`${name} capabilities`)
    if (listAt(container, 'securityContext', 'capabilities', 'add').length > 0)
      violations.push(`${name} capabilities`)
    if (setting('privileged') === true) violations.push(`${name} privileged`)
    if (!['RuntimeDefault', 'Localhost'].includes(String(setting('seccompProfile', 'type'))))
      violations.push(`${name} seccomp`)
    if (listAt(container, 'ports').some((port) => at(port, 'hostPort') !== undefined))
      violations.push(`${name} hostPort`)
  }
  return violations
}
