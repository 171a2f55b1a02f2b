import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  BigValueColorMode,
  BigValueGraphMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import {
  MappingType,
  type Panel,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as StateTimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline'
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import { datasource } from './variables.ts'

export type PanelBuilder = Builder<Panel>

/** One line of a panel: what to ask and how to call each series. */
export interface Query {
  readonly expr: string
  readonly legend: string
}

export interface PanelText {
  readonly title: string
  readonly description: string
}

/** A panel of curves over time, a third of the dashboard wide. `unit` is one of Grafana's unit ids. */
export function curves(
  text: PanelText,
  unit: string,
  queries: readonly Query[],
): TimeseriesBuilder {
  const panel = new TimeseriesBuilder()
    .title(text.title)
    .description(text.description)
    .datasource(datasource)
    .unit(unit)
    .min(0)
    .height(8)
    .span(8)
    .fillOpacity(10)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs([]),
    )
    .tooltip(
      new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending),
    )
  queries.forEach((query, index) => panel.withTarget(rangeQuery(query, index)))
  return panel
}

/** One number, green while it is below `redFrom`. */
export function figure(text: PanelText, expr: string, redFrom: number | null): StatBuilder {
  const steps =
    redFrom === null
      ? [{ value: null, color: 'blue' }]
      : [
          { value: null, color: 'green' },
          { value: redFrom, color: 'red' },
        ]
  return new StatBuilder()
    .title(text.title)
    .description(text.description)
    .datasource(datasource)
    .unit('short')
    .height(4)
    .span(4)
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.Area)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields('').values(false))
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps))
    .withTarget(rangeQuery({ expr, legend: text.title }, 0))
}

/** A band per series that shows 0 and 1 as words. */
export function states(
  text: PanelText,
  query: Query,
  words: { readonly zero: StateWord; readonly one: StateWord },
): StateTimelineBuilder {
  const mapping: ValueMapping = {
    type: MappingType.ValueToText,
    options: {
      '0': { ...words.zero, index: 0 },
      '1': { ...words.one, index: 1 },
    },
  }
  return new StateTimelineBuilder()
    .title(text.title)
    .description(text.description)
    .datasource(datasource)
    .height(8)
    .span(8)
    .mergeValues(true)
    .mappings([mapping])
    .withTarget(rangeQuery(query, 0))
}

export interface StateWord {
  readonly text: string
  readonly color: 'green' | 'red' | 'orange'
}

/** A query over the dashboard's time range. */
export function rangeQuery(query: Query, index: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .datasource(datasource)
    .refId(String.fromCharCode('A'.charCodeAt(0) + index))
    .expr(query.expr)
    .legendFormat(query.legend)
    .range()
}

/** A query for the last value only, as rows of a table. */
export function tableQuery(expr: string): DataqueryBuilder {
  return new DataqueryBuilder()
    .datasource(datasource)
    .refId('A')
    .expr(expr)
    .format(PromQueryFormat.Table)
    .instant()
}
