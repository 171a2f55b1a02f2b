import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dashboardQueries, fillVariables } from '../support/dashboard-queries.ts'
import { run } from '../support/command.ts'
import { describeWith } from '../support/engines.ts'
import { type LocalPeer, startTwoPeers } from '../support/local-peer.ts'
import { type PrometheusServer, startPrometheus } from '../support/prometheus-server.ts'
import { until } from '../support/wait.ts'
import { at, listAt, textAt } from '../support/yaml-files.ts'

describeWith(
  'the real Prometheus and two real peers under load',
  ['prometheus', 'promtool', 'ssh-keygen'],
  () => {
    const parent = mkdtempSync(join(tmpdir(), 'synd-prometheus-'))
    const load = new AbortController()
    let peers: readonly LocalPeer[] = []
    let prometheus: PrometheusServer
    let writing: Promise<void>

    beforeAll(async () => {
      peers = await startTwoPeers(parent)
      prometheus = await startPrometheus(
        join(parent, 'prometheus'),
        peers.map((peer) => peer.http),
      )
      writing = writeAllTheTime(
        peers.map((peer) => peer.volume),
        load.signal,
      )
    })

    afterAll(async () => {
      load.abort()
      await writing
      await prometheus?.stop()
      for (const peer of peers) await peer.stop()
      rmSync(parent, { recursive: true, force: true })
    })

    test('scrapes both', async () => {
      await until('both targets are up', async () => {
        const up = await prometheus.query('up{job="synd"} == 1')
        return up.length === 2
      })
    })

    test('promtool finds nothing wrong with the metrics of either', async () => {
      for (const peer of peers) {
        const metrics = await (await fetch(`http://${peer.http}/metrics`)).text()
        const { code, output } = await run('promtool', ['check', 'metrics'], { input: metrics })
        expect({ code, output }).toEqual({ code: 0, output: '' })
      }
    })

    test('every query of every panel returns data', async () => {
      const values = async (query: string, label: string) => [
        ...new Set(
          (await prometheus.query(query)).map((series) => textAt(series, 'metric', label)),
        ),
      ]
      // The queries of the dashboard's variables.
      await until(
        'the peers are known',
        async () => (await values('synd_peer_up == 1', 'peer')).length === 2,
      )
      const variables = {
        instances: await values('synd_build_info', 'instance'),
        peers: await values('synd_peer_up', 'peer'),
      }
      expect(variables.instances).toHaveLength(2)
      expect(variables.peers).toHaveLength(2)

      const queries = dashboardQueries()
      expect(queries.length).toBeGreaterThan(30)
      const silent = new Set(
        queries.map(({ panel, expr }) => `${panel}: ${fillVariables(expr, variables)}`),
      )
      await until(
        'every query has an answer',
        async () => {
          for (const one of silent) {
            const answer = await prometheus.query(one.slice(one.indexOf(': ') + 2))
            if (answer.some((series) => Number.isFinite(Number(at(series, 'value', 1)))))
              silent.delete(one)
          }
          return silent.size === 0
        },
        { timeoutMs: 180_000, everyMs: 2000, describe: async () => [...silent].join('\n') },
      )
    })

    test('while all is well no alert fires', async () => {
      const alerts = listAt(await prometheus.api('alerts'), 'alerts')
      expect(alerts.filter((alert) => at(alert, 'state') === 'firing')).toEqual([])
      const groups = listAt(await prometheus.api('rules'), 'groups')
      expect(listAt(groups[0], 'rules').map((rule) => at(rule, 'health'))).not.toContain('err')
    })

    test('both end with 0', async () => {
      load.abort()
      await writing
      for (const peer of peers) expect(await peer.stop()).toBe(0)
    })
  },
)

/** Small files new, changed and removed on both sides, about forty a second. */
async function writeAllTheTime(volumes: readonly string[], signal: AbortSignal): Promise<void> {
  for (let round = 0; !signal.aborted; round += 1) {
    volumes.forEach((volume, index) => {
      const directory = join(volume, `from-${index}`, String(round % 10))
      mkdirSync(directory, { recursive: true })
      writeFileSync(join(directory, `${round % 200}.txt`), `${round} `.repeat(200))
      if (round % 20 === 19)
        rmSync(join(volume, `from-${index}`, String((round + 5) % 10)), {
          recursive: true,
          force: true,
        })
    })
    await sleep(50)
  }
}
