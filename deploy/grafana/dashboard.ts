import { join } from 'node:path'
import {
  DashboardBuilder,
  DashboardCursorSync,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard'
import type { PanelBuilder } from './panel.ts'
import { fleetPanels } from './rows/fleet.ts'
import { nodePanels } from './rows/node.ts'
import { peerPanels } from './rows/peers.ts'
import { transferPanels } from './rows/transfers.ts'
import { troublePanels } from './rows/trouble.ts'
import { volumePanels } from './rows/volume.ts'
import { watchPanels } from './rows/watching.ts'
import { datasourceVariable, instanceVariable, peerVariable } from './variables.ts'

/** Where the generated dashboard is checked in. */
export const dashboardFile = join(import.meta.dirname, 'dashboards', 'synd.json')

/** The dashboard as Grafana imports it: JSON, the same for the same source. */
export function renderDashboard(): string {
  return `${JSON.stringify(buildDashboard(), null, 2)}\n`
}

const rows: readonly (readonly [title: string, panels: readonly PanelBuilder[]])[] = [
  ['Fleet', fleetPanels()],
  ['Peers', peerPanels()],
  ['Transfers and errors', transferPanels()],
  ['Watching', watchPanels()],
  ['Volume', volumePanels()],
  ['Conflicts and problems', troublePanels()],
  ['Node.js', nodePanels()],
]

function buildDashboard() {
  const dashboard = new DashboardBuilder('Synd')
    .uid('synd')
    .description(
      'One directory kept equal on several hosts: who is in sync, how fast, and what is in the way.',
    )
    .tags(['synd'])
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-3h', to: 'now' })
    .refresh('30s')
    .editable()
    .withVariable(datasourceVariable())
    .withVariable(instanceVariable())
    .withVariable(peerVariable())
  for (const [title, panels] of rows) {
    dashboard.withRow(new RowBuilder(title))
    for (const panel of panels) dashboard.withPanel(panel)
  }
  const built = dashboard.build()
  // The SDK numbers no panel; links to a panel need its number to last.
  return { ...built, panels: built.panels?.map((panel, index) => ({ ...panel, id: index + 1 })) }
}
