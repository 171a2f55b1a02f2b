import { renderDashboard } from '../../../deploy/grafana/dashboard.ts'
import { listAt, textAt } from './yaml-files.ts'

export interface PanelQuery {
  readonly panel: string
  readonly expr: string
}

/** Every query of every panel, with its variables still in it. */
export function dashboardQueries(): readonly PanelQuery[] {
  const dashboard: unknown = JSON.parse(renderDashboard())
  return listAt(dashboard, 'panels').flatMap((panel) =>
    listAt(panel, 'targets').map((target) => ({
      panel: textAt(panel, 'title'),
      expr: textAt(target, 'expr'),
    })),
  )
}

/** The query as Grafana sends it with "All" chosen: a regular expression of all values; a rate over one minute. */
export function fillVariables(
  expr: string,
  values: { readonly instances: readonly string[]; readonly peers: readonly string[] },
): string {
  const any = (names: readonly string[]) => `(${names.map(escapeRegex).join('|')})`
  return expr
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('$instance', any(values.instances))
    .replaceAll('$peer', any(values.peers))
}

/** As Grafana escapes a value inside a quoted PromQL string: the backslash itself is doubled. */
function escapeRegex(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\\\$&')
}
