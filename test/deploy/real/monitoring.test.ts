import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ComposeHost } from '../support/compose-host.ts'
import { describeWithDocker } from '../support/containers.ts'
import { isInstalled } from '../support/engines.ts'
import { authorize } from '../support/keys.ts'
import { buildPrometheusImage } from '../support/stand-in-prometheus.ts'
import { until } from '../support/wait.ts'
import { at, listAt, textAt } from '../support/yaml-files.ts'

describeWithDocker('the profile `monitoring` of the compose file', (docker) => {
  const parent = mkdtempSync(join(tmpdir(), 'synd-monitoring-'))
  const network = `synd-monitoring-${process.pid}`
  const host = new ComposeHost(docker, parent, { name: 'host-a', peers: 'host-b', network })

  beforeAll(async () => {
    if (!isInstalled('prometheus')) throw new Error('apt-get install prometheus')
    const image = await buildPrometheusImage(docker)
    await docker('network', 'create', network)
    await host.setUp()
    authorize(host.keyDirectory, [host.publicLine])
    host.writeSettings({ PROMETHEUS_IMAGE: image, PROMETHEUS_PUBLISH: '127.0.0.1:' })
    await host.compose(
      '--profile',
      'monitoring',
      'up',
      '--detach',
      '--no-build',
      'synd',
      'prometheus',
    )
  })

  afterAll(async () => {
    await host.compose('--profile', 'monitoring', 'down', '--volumes', '--timeout', '20')
    await docker.try('network', 'rm', network)
    rmSync(parent, { recursive: true, force: true })
  })

  const api = async (path: string): Promise<unknown> => {
    const id = (await host.compose('ps', '--quiet', 'prometheus')).trim()
    const response = await fetch(`http://${await docker('port', id, '9090/tcp')}/api/v1/${path}`)
    return response.json()
  }

  test('its Prometheus scrapes the Synd of the project', async () => {
    await until('the target is up', async () => {
      const targets = listAt(await api('targets'), 'data', 'activeTargets')
      const synd = targets.find((target) => textAt(target, 'labels', 'job') === 'synd')
      return textAt(synd, 'labels', 'instance') === 'synd:9464' && at(synd, 'health') === 'up'
    })
  })

  test('its Prometheus has evaluated every alert, and counts the peer that is missing as pending', async () => {
    await until('the alert is pending', async () => {
      const rules = listAt(await api('rules'), 'data', 'groups', 0, 'rules')
      expect(rules.every((rule) => at(rule, 'health') !== 'err')).toBe(true)
      const peerDown = rules.find((rule) => at(rule, 'name') === 'SyndPeerDown')
      return at(peerDown, 'state') === 'pending'
    })
  })
})
