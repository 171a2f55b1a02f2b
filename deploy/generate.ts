import { writeFileSync } from 'node:fs'
import { dashboardFile, renderDashboard } from './grafana/dashboard.ts'
import { prometheusRuleFile, renderPrometheusRule } from './prometheus/prometheus-rule.ts'

// Writes what is derived from other files here: npm run generate. A test fails when one is not current.
writeFileSync(dashboardFile, renderDashboard())
writeFileSync(prometheusRuleFile, renderPrometheusRule())
