export type MetricsFormat = 'prometheus' | 'openmetrics'

export const metricsContentTypes: Readonly<Record<MetricsFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

/** What a scraper's Accept header asks for: OpenMetrics when it likes it at least as much as the plain text. */
export function negotiateFormat(accept: string | undefined): MetricsFormat {
  let openMetrics = 0
  let plain = 0
  for (const range of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const quality = parameters.find((parameter) => parameter.startsWith('q='))
    const weight = quality === undefined ? 1 : Number(quality.slice(2)) || 0
    if (type === 'application/openmetrics-text') openMetrics = Math.max(openMetrics, weight)
    if (type === 'text/plain') plain = Math.max(plain, weight)
  }
  return openMetrics > 0 && openMetrics >= plain ? 'openmetrics' : 'prometheus'
}

/**
 * The same metrics as OpenMetrics text: counters are named without `_total` in HELP and TYPE, no blank lines, EOF at the end.
 * prom-client's own OpenMetrics registry renames the counters for good, so that later plain scrapes get other names.
 */
export function toOpenMetrics(text: string): string {
  const counters = new Set(
    [...text.matchAll(/^# TYPE (\S+)_total counter$/gm)].map((found) => found[1]),
  )
  const lines = text.split('\n').filter((line) => line !== '')
  const renamed = lines.map((line) =>
    line.replace(/^(# (?:HELP|TYPE) )(\S+)_total /, (whole, start: string, name: string) =>
      counters.has(name) ? `${start}${name} ` : whole,
    ),
  )
  return [...renamed, '# EOF', ''].join('\n')
}
