import { readFile } from 'node:fs/promises'
import { loadSignals, type LoadedSignal } from '../../services/signals/load.ts'
import { CATALOG, chart, dashboard, table, type Dashboard, type Draft } from './panels.ts'

/** One panel for each signal that is found on disk, over the views of the catalog. */

/** More lines than this can not be told apart. */
const SERIES_SHOWN = 20

/** The last word of a plotted column is its unit; Grafana has names of its own for units. */
const UNITS: Readonly<Record<string, string>> = { pct: 'percent', ms: 'ms', usd: 'currencyUSD' }

const unitOf = (plots: string): string => UNITS[plots.split('_').at(-1) ?? ''] ?? 'short'

export const signalDashboard = async (): Promise<Dashboard> => {
  const signals = await loadSignals()
  const text = {
    uid: 'tally-signals',
    title: 'Tallystream: signals',
    description: 'What each signal watches, over settled hours. Written by infra/grafana/main.ts.',
    from: 'now-24h'
  }
  return dashboard(text, VARIABLES, [
    openFindings,
    ...(await Promise.all(signals.map(signalPanel)))
  ])
}

const VARIABLES = [
  {
    name: 'series',
    type: 'textbox',
    label: 'Series that contain',
    query: '',
    current: { text: '', value: '' }
  },
  {
    name: 'page',
    type: 'textbox',
    label: 'Address of Tallystream',
    query: 'http://127.0.0.1:8787',
    current: { text: 'http://127.0.0.1:8787', value: 'http://127.0.0.1:8787' }
  }
]

const target = (rawSql: string, format: 'time_series' | 'table'): object => ({
  refId: 'A',
  datasource: CATALOG,
  editorMode: 'code',
  rawQuery: true,
  format,
  rawSql
})

const signalPanel = async (signal: LoadedSignal): Promise<Draft> => {
  const folder = new URL(`../../services/signals/${signal.id}/`, import.meta.url)
  const panel = await readFile(new URL('panel.sql', folder), 'utf8')
  const says = [...panel.matchAll(/^-- (.*)$/gm)].map((line) => line[1]).join(' ')
  const text = {
    title: `${signal.id}: ${signal.plots}`,
    description: `${signal.title}.\n\n${says}`,
    unit: unitOf(signal.plots)
  }
  return {
    ...chart(text, CATALOG, [target(seriesSql(panel, signal.plots), 'time_series')]),
    links: [{ title: 'Runbook', url: `\${page:raw}/runbooks/${signal.id}`, targetBlank: true }]
  }
}

/** The panel's rows within the dashboard's times, of the series with the most of them. */
const seriesSql = (panel: string, plots: string): string =>
  `WITH panel AS (
${panel.trim()}
), shown AS (
  SELECT window_start AS time, series, ${plots} AS value
  FROM panel
  WHERE $__timeFilter(window_start) AND contains(series, \${series:sqlstring})
)
SELECT time, series AS metric, value
FROM shown
WHERE series IN (SELECT series FROM shown GROUP BY series ORDER BY count(*) DESC, series LIMIT ${SERIES_SHOWN})
ORDER BY time, metric`

const openFindings: Draft = table(
  {
    title: 'Open findings',
    description: 'The newest row of each incident that fires.',
    unit: 'short'
  },
  CATALOG,
  [
    target(
      `SELECT started_at, severity, signal, tenant, summary, cost_usd_per_hour
FROM (
  SELECT *
  FROM findings
  QUALIFY row_number() OVER (PARTITION BY fingerprint ORDER BY sequence DESC) = 1
)
WHERE status = 'firing'
ORDER BY started_at DESC`,
      'table'
    )
  ]
)
