import {
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'

/** The data source of every panel: the one chosen at the top, so import and provisioning both work. */
export const datasource = { type: 'prometheus', uid: '${datasource}' } as const

/** Of the Synd that was scraped. */
export const byInstance = 'instance=~"$instance"'

/** Of the Synd that was scraped, about one of its peers. */
export const byPeer = 'instance=~"$instance", peer=~"$peer"'

/** Which Prometheus. */
export function datasourceVariable(): DatasourceVariableBuilder {
  return new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus')
}

/** Which hosts. */
export function instanceVariable(): QueryVariableBuilder {
  return labelVariable('instance', 'Host', 'label_values(synd_build_info, instance)')
}

/** Which of their peers. */
export function peerVariable(): QueryVariableBuilder {
  return labelVariable('peer', 'Peer', `label_values(synd_peer_up{${byInstance}}, peer)`)
}

function labelVariable(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(datasource)
    .query({ query, refId: name })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .current({ selected: true, text: ['All'], value: ['$__all'] })
}
