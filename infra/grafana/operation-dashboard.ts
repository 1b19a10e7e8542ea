import { chart, dashboard, PROMETHEUS, type Dashboard } from './panels.ts'

/** How Tallystream itself is, over the metrics that it exports and the rules that record them. */

type Line = { expr: string; legend: string }
type Chart = { title: string; description: string; unit: string; lines: readonly Line[] }

const CHARTS: readonly Chart[] = [
  {
    title: 'Events a second',
    description: 'By what became of them. Refused ones are told to their sender.',
    unit: 'cps',
    lines: [{ expr: 'tally:events:rate5m', legend: '{{result}}' }]
  },
  {
    title: 'Requests that fail on our side',
    description: 'Senders repeat them.',
    unit: 'percentunit',
    lines: [{ expr: 'tally:collect_requests_failed:ratio_rate5m', legend: 'failed' }]
  },
  {
    title: 'Time to acknowledge, p99',
    description: 'From the head of a request until the log has every event of it.',
    unit: 's',
    lines: [{ expr: 'tally:collect_request_duration_seconds:p99_rate5m', legend: 'p99' }]
  },
  {
    title: 'Records that wait to be landed',
    description:
      'By partition. Zero between flushes; a line that rises is a consumer that is too slow.',
    unit: 'short',
    lines: [{ expr: 'tally_consume_lag_records', legend: 'partition {{partition}}' }]
  },
  {
    title: 'Time of a flush, p99',
    description: 'Enrich, write, fsync and commit.',
    unit: 's',
    lines: [{ expr: 'tally:consume_flush_duration_seconds:p99_rate15m', legend: 'p99' }]
  },
  {
    title: 'Faults in the lake',
    description:
      'Rows of quarantine, gaps and conflicts, and events of the last day without a price.',
    unit: 'short',
    lines: [
      { expr: 'tally_lake_rows', legend: '{{table}}' },
      { expr: 'tally_unpriced_events', legend: 'unpriced' }
    ]
  },
  {
    title: 'Open incidents',
    description: 'By severity.',
    unit: 'short',
    lines: [{ expr: 'max by (severity) (tally_incidents_open)', legend: '{{severity}}' }]
  },
  {
    title: 'Time since a job last worked',
    description: 'By job.',
    unit: 's',
    lines: [{ expr: 'time() - tally:last_success_timestamp_seconds:max', legend: '{{task}}' }]
  },
  {
    title: 'Notices that wait for a channel',
    description: 'By channel. What waits is told when the receiver is back.',
    unit: 'short',
    lines: [{ expr: 'tally_alert_pending', legend: '{{channel}}' }]
  },
  {
    title: 'Time to answer, p95',
    description: 'Requests to the API and the page.',
    unit: 's',
    lines: [{ expr: 'tally:serve_request_duration_seconds:p95_rate5m', legend: 'p95' }]
  }
]

/** Names of lines by their place: A, B, C. */
const refIdOf = (index: number): string => String.fromCodePoint('A'.codePointAt(0)! + index)

export const operationDashboard = (): Dashboard =>
  dashboard(
    {
      uid: 'tally-operation',
      title: 'Tallystream: operation',
      description: 'Intake, landing, jobs and answers. Written by infra/grafana/main.ts.',
      from: 'now-6h'
    },
    [],
    CHARTS.map(({ lines, ...text }) =>
      chart(
        text,
        PROMETHEUS,
        lines.map(({ expr, legend }, index) => ({
          refId: refIdOf(index),
          datasource: PROMETHEUS,
          expr,
          legendFormat: legend
        }))
      )
    )
  )

/** Every expression that the dashboard asks Prometheus for. */
export const operationQueries = (): string[] =>
  CHARTS.flatMap(({ lines }) => lines.map(({ expr }) => expr))
