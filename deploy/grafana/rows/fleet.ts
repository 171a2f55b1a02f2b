import {
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  PanelBuilder as HeatmapBuilder,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table'
import { curves, figure, type PanelBuilder, states, tableQuery } from '../panel.ts'
import { byInstance, byPeer, datasource } from '../variables.ts'

/** The whole fleet at one look: is everybody in sync, and how fast do changes arrive? */
export function fleetPanels(): readonly PanelBuilder[] {
  return [...figures(), inSync(), lag(), propagation(), heatmap(), peers()]
}

function figures(): readonly PanelBuilder[] {
  return [
    figure(
      { title: 'Hosts', description: 'Hosts that answer Prometheus.' },
      `count(synd_build_info{${byInstance}})`,
      null,
    ),
    figure(
      {
        title: 'Lost connections',
        description: 'Peers that a host has no connection to. Each pair counts on both sides.',
      },
      `sum(1 - synd_peer_up{${byPeer}})`,
      1,
    ),
    figure(
      { title: 'Pending changes', description: 'Changes that some peer has not applied yet.' },
      `sum(synd_pending_changes{${byPeer}})`,
      1000,
    ),
    figure(
      {
        title: 'Halted',
        description:
          'Hosts that stopped syncing to lose nothing: the volume is missing, foreign or unreadable.',
      },
      `sum(synd_volume_halted{${byInstance}})`,
      1,
    ),
    figure(
      { title: 'Held deletes', description: 'Deletes that wait for synd approve or synd reject.' },
      `sum(synd_held_deletes{${byInstance}})`,
      1,
    ),
    figure(
      {
        title: 'Problems',
        description: 'Paths and peers that are left out until something changes.',
      },
      `sum(synd_problems{${byInstance}})`,
      1,
    ),
  ]
}

function inSync(): PanelBuilder {
  return states(
    {
      title: 'In sync',
      description: 'Connected, and nothing waits for the peer. A band for each direction.',
    },
    {
      expr: `(synd_peer_up{${byPeer}} == bool 1) * (synd_pending_changes{${byPeer}} == bool 0)`,
      legend: '{{instance}} → {{peer}}',
    },
    { zero: { text: 'behind', color: 'orange' }, one: { text: 'in sync', color: 'green' } },
  )
}

function lag(): PanelBuilder {
  return curves(
    {
      title: 'Lag',
      description: 'Age of the oldest change that the peer has not applied; 0 when there is none.',
    },
    's',
    [{ expr: age('synd_oldest_pending_timestamp_seconds'), legend: '{{instance}} → {{peer}}' }],
  )
}

function age(metric: string): string {
  return `(time() - ${metric}{${byPeer}}) * (${metric}{${byPeer}} > bool 0)`
}

function propagation(): PanelBuilder {
  const quantile = (share: number) =>
    `histogram_quantile(${share}, sum by (le) (rate(synd_propagation_seconds_bucket{${byPeer}}[$__rate_interval])))`
  return curves(
    {
      title: 'Propagation',
      description: 'From the moment a change is seen on one host until it is applied on the other.',
    },
    's',
    [
      { expr: quantile(0.5), legend: 'p50' },
      { expr: quantile(0.95), legend: 'p95' },
      { expr: quantile(0.99), legend: 'p99' },
    ],
  )
}

function heatmap(): PanelBuilder {
  return new HeatmapBuilder()
    .title('Propagation, all changes')
    .description('How many changes took how long.')
    .datasource(datasource)
    .height(8)
    .span(12)
    .calculate(false)
    .yAxis(new YAxisConfigBuilder().unit('s'))
    .color(
      new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme('Oranges').steps(64),
    )
    .withTarget(
      new DataqueryBuilder()
        .datasource(datasource)
        .refId('A')
        .expr(
          `sum by (le) (increase(synd_propagation_seconds_bucket{${byPeer}}[$__rate_interval]))`,
        )
        .legendFormat('{{le}}')
        .format(PromQueryFormat.Heatmap)
        .range(),
    )
}

function peers(): PanelBuilder {
  return new TableBuilder()
    .title('Who talks to whom')
    .description('What each host calls its peers, and whether it is connected now.')
    .datasource(datasource)
    .height(8)
    .span(12)
    .overrideByName('Value', [
      { id: 'displayName', value: 'connected' },
      {
        id: 'mappings',
        value: [
          {
            type: 'value',
            options: { '0': { text: 'no', color: 'red' }, '1': { text: 'yes', color: 'green' } },
          },
        ],
      },
    ])
    .overrideByName('Time', [{ id: 'custom.hidden', value: true }])
    .withTarget(
      tableQuery(
        `max by (instance, peer, name, id) (synd_peer_info{${byPeer}} * on (instance, peer) group_left () synd_peer_up{${byPeer}})`,
      ),
    )
}
