import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  prometheusRuleFile,
  renderPrometheusRule,
} from '../../../deploy/prometheus/prometheus-rule.ts'
import { repository } from '../support/cache.ts'
import { check } from '../support/command.ts'
import { describeWith } from '../support/engines.ts'
import { at, listAt, readYaml, textAt } from '../support/yaml-files.ts'

const prometheus = join(repository, 'deploy', 'prometheus')
const rules = listAt(readYaml('deploy/prometheus/rules/synd.yml'), 'groups', 0, 'rules')
const unitTests = listAt(readYaml('deploy/prometheus/tests/synd.test.yml'), 'tests')

describe('the alerts', () => {
  test.each(rules.map((rule) => textAt(rule, 'alert')))(
    '%s is tested firing and silent',
    (alert) => {
      const cases = unitTests
        .flatMap((unitTest) => listAt(unitTest, 'alert_rule_test'))
        .filter((one) => at(one, 'alertname') === alert)
      const firing = cases.filter((one) => listAt(one, 'exp_alerts').length > 0)
      expect(firing.length).toBeGreaterThan(0)
      expect(cases.length).toBeGreaterThan(firing.length)
    },
  )

  test.each(rules.map((rule) => [textAt(rule, 'alert'), rule] as const))(
    '%s has a severity, and a section in the runbook under the address it gives',
    (alert, rule) => {
      expect(['critical', 'warning']).toContain(at(rule, 'labels', 'severity'))
      const [file = '', anchor] = textAt(rule, 'annotations', 'runbook').split('#')
      expect(anchor).toBe(alert.toLowerCase())
      const headings = readFileSync(join(repository, file), 'utf8').match(/^## .*$/gm)
      expect(headings).toContain(`## ${alert}`)
    },
  )

  test('the runbook has no section for an alert that is gone', () => {
    const runbook = readFileSync(join(repository, 'deploy', 'runbook.md'), 'utf8')
    const sections = [...runbook.matchAll(/^## (Synd\w+)$/gm)].map((match) => match[1])
    expect(sections).toEqual(rules.map((rule) => textAt(rule, 'alert')))
  })

  test('the PrometheusRule for Kubernetes is current: npm run generate', () => {
    expect(readFileSync(prometheusRuleFile, 'utf8')).toBe(renderPrometheusRule())
  })
})

describeWith('promtool', ['promtool'], () => {
  test('the configuration and the rules are valid', async () => {
    const printed = await check('promtool', ['check', 'config', join(prometheus, 'prometheus.yml')])
    expect(printed).toContain(`SUCCESS: ${rules.length} rules found`)
  })

  test('every alert fires where it should and only there', async () => {
    const printed = await check('promtool', ['test', 'rules', 'synd.test.yml'], {
      cwd: join(prometheus, 'tests'),
    })
    expect(printed).toContain('SUCCESS')
  })
})
