import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'

/** The alerts for Prometheus. */
export const rulesFile = join(import.meta.dirname, 'rules', 'synd.yml')

/** The same alerts for the Prometheus Operator. */
export const prometheusRuleFile = join(
  import.meta.dirname,
  '..',
  'kubernetes',
  'monitoring',
  'prometheus-rule.yaml',
)

/** A PrometheusRule with the groups of the rules file. */
export function renderPrometheusRule(): string {
  const rules: unknown = parse(readFileSync(rulesFile, 'utf8'))
  const resource = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'synd', labels: { 'app.kubernetes.io/name': 'synd' } },
    spec: rules,
  }
  return `# Made from deploy/prometheus/rules/synd.yml by npm run generate.\n${stringify(resource, { lineWidth: 0 })}`
}
