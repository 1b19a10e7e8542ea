import type { Event } from './answers.ts'
import { count, duration, instant, NONE, usd } from './format.ts'
import { useHere } from './here.ts'
import { Link, Table } from './parts.tsx'

const PICO_PER_USD = 1e12

export const textOf = (event: Event, name: string): string | null => {
  const value = event[name]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null
}

export const modelOf = (event: Event): string | null =>
  textOf(event, 'response_model') ?? textOf(event, 'request_model')

/** Metered cost of an event in dollars; a double is exact enough to be read. */
export const costOf = (event: Event): number | null => {
  const pico = textOf(event, 'cost_pico')
  return pico === null ? null : Number(pico) / PICO_PER_USD
}

export const isFailed = (event: Event): boolean =>
  Number(event['status'] ?? 0) >= 400 || textOf(event, 'error_type') !== null

/** As much of a trace's name as tells most of them apart. */
const TRACE_MAX = 20
const shortened = (trace: string): string =>
  trace.length > TRACE_MAX ? `${trace.slice(0, TRACE_MAX - 1)}…` : trace

/** Calls as rows; each leads to its trace where it names one. */
export const EventTable = ({ events }: { events: readonly Event[] }) => {
  const { to } = useHere()
  return (
    <Table
      title="Calls"
      narrow="down"
      rows={events}
      none="None."
      columns={[
        { title: 'time', isWhole: true, cell: ({ time }) => instant(time) },
        { title: 'tenant', cell: ({ tenant }) => tenant },
        {
          title: 'what',
          cell: (event) => [event.kind, textOf(event, 'name')].filter(Boolean).join(' ')
        },
        { title: 'model', isWhole: true, cell: (event) => modelOf(event) ?? NONE },
        { title: 'in', isNumber: true, cell: (event) => count(textOf(event, 'in_total')) },
        { title: 'cached', isNumber: true, cell: (event) => count(textOf(event, 'in_cache_read')) },
        { title: 'out', isNumber: true, cell: (event) => count(textOf(event, 'out_total')) },
        { title: 'cost', isNumber: true, cell: (event) => usd(costOf(event)) },
        { title: 'took', isNumber: true, cell: (event) => duration(textOf(event, 'duration_ms')) },
        {
          title: 'status',
          cell: (event) => (
            <span class={isFailed(event) ? 'bad' : ''}>
              {textOf(event, 'error_type') ?? textOf(event, 'status') ?? NONE}
            </span>
          )
        },
        {
          title: 'trace',
          isWhole: true,
          cell: (event) => {
            const trace = textOf(event, 'trace_id')
            if (trace === null) return NONE
            const href = to(`/traces/${encodeURIComponent(trace)}`, { at: event.time })
            return <Link href={href}>{shortened(trace)}</Link>
          }
        },
        {
          title: 'all',
          isWhole: true,
          cell: (event) => (
            <details>
              <summary aria-label={`All fields of ${event.id}`}>fields</summary>
              <pre tabIndex={0}>{JSON.stringify(event, null, 1)}</pre>
            </details>
          )
        }
      ]}
    />
  )
}
