import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { dashboardFile, renderDashboard } from './dashboard.ts'

// Writes the dashboard that Grafana reads: npm run dashboards
mkdirSync(dirname(dashboardFile), { recursive: true })
writeFileSync(dashboardFile, renderDashboard())
console.log(`wrote ${dashboardFile}`)
