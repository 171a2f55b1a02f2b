import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { dashboardFile, renderDashboard } from '../../../deploy/grafana/dashboard.ts'
import { repository } from '../support/cache.ts'
import { dashboardQueries } from '../support/dashboard-queries.ts'
import { at, listAt, readYaml, textAt } from '../support/yaml-files.ts'

const dashboard: unknown = JSON.parse(renderDashboard())
const panels = listAt(dashboard, 'panels').filter((panel) => at(panel, 'type') !== 'row')

test('the dashboard that is checked in is current: npm run generate', () => {
  expect(readFileSync(dashboardFile, 'utf8')).toBe(renderDashboard())
})

test('the dashboard has a row for everything that an operator asks about', () => {
  const rows = listAt(dashboard, 'panels').filter((panel) => at(panel, 'type') === 'row')
  expect(rows.map((row) => at(row, 'title'))).toEqual([
    'Fleet',
    'Peers',
    'Transfers and errors',
    'Watching',
    'Volume',
    'Conflicts and problems',
    'Node.js',
  ])
})

test('every panel says what it shows, asks the chosen data source, and keeps its number', () => {
  expect(panels.length).toBeGreaterThan(25)
  for (const panel of panels) {
    expect(textAt(panel, 'description')).not.toBe('')
    expect(at(panel, 'datasource', 'uid')).toBe('${datasource}')
    expect(listAt(panel, 'targets').length).toBeGreaterThan(0)
  }
  const ids = listAt(dashboard, 'panels').map((panel) => at(panel, 'id'))
  expect(new Set(ids).size).toBe(ids.length)
})

test('data source, host and peer are variables, and every query uses those that fit', () => {
  expect(listAt(dashboard, 'templating', 'list').map((variable) => at(variable, 'name'))).toEqual([
    'datasource',
    'instance',
    'peer',
  ])
  for (const { panel, expr } of dashboardQueries()) {
    expect(expr, panel).toContain('$instance')
    const left = expr.replaceAll(/\$(__rate_interval|instance|peer)\b/g, '')
    expect(left, panel).not.toContain('$')
  }
})

test('nothing overlaps on the dashboard', () => {
  const taken = new Set<string>()
  for (const panel of listAt(dashboard, 'panels')) {
    const [x, y, w, h] = ['x', 'y', 'w', 'h'].map((key) => Number(at(panel, 'gridPos', key)))
    for (let column = x ?? 0; column < (x ?? 0) + (w ?? 0); column += 1) {
      for (let line = y ?? 0; line < (y ?? 0) + (h ?? 0); line += 1) {
        expect(taken.has(`${column},${line}`), textAt(panel, 'title')).toBe(false)
        taken.add(`${column},${line}`)
      }
    }
  }
})

test('compose mounts what the provisioning files name, and the home dashboard exists', () => {
  const provider = at(readYaml('deploy/grafana/provisioning/dashboards/synd.yml'), 'providers', 0)
  const grafana = at(readYaml('docker-compose.yml'), 'services', 'grafana')
  const mounts = listAt(grafana, 'volumes').map((mount) => String(mount).split(':'))
  const dashboards = mounts.find(([, target]) => target === textAt(provider, 'options', 'path'))
  expect(existsSync(join(repository, dashboards?.[0] ?? 'missing', 'synd.json'))).toBe(true)
  for (const kind of ['datasources', 'dashboards']) {
    const mount = mounts.find(([, target]) => target === `/etc/grafana/provisioning/${kind}`)
    expect(readdirSync(join(repository, mount?.[0] ?? 'missing'))).toHaveLength(1)
  }
  const home = listAt(grafana, 'environment')
    .map(String)
    .find((line) => line.includes('HOME_DASHBOARD'))
  expect(home?.split('=')[1]).toBe(`${textAt(provider, 'options', 'path')}/synd.json`)
})

test('the data source that is provisioned is the Prometheus of the compose file', () => {
  const source = at(
    readYaml('deploy/grafana/provisioning/datasources/prometheus.yml'),
    'datasources',
    0,
  )
  const url = new URL(textAt(source, 'url'))
  expect(at(readYaml('docker-compose.yml'), 'services', url.hostname)).toBeDefined()
  expect(at(source, 'isDefault')).toBe(true)
})
