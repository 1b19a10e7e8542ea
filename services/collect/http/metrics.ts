import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** Every metric of the collector; names and help are its documentation. */
export type CollectMetrics = {
  events: Counter<'result'>
  faults: Counter<'source' | 'code'>
  requests: Counter<'source' | 'status'>
  requestSeconds: Histogram<'source'>
  lagSeconds: Histogram
  appendSeconds: Histogram
}

/** From a local socket to a request that a client has given up on. */
const REQUEST_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30]
/** From live traffic to backfills of a month. */
const LAG_SECONDS = [0.1, 1, 5, 30, 60, 300, 3600, 86_400, 2_592_000]

export const createMetrics = (
  registry: Registry,
  inFlight: () => { bytes: number; events: number }
): CollectMetrics => {
  const registers = [registry]
  const gauge = (name: string, help: string, read: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      }
    })
  gauge(
    'tally_collect_in_flight_bytes',
    'Bytes of request bodies being taken in.',
    () => inFlight().bytes
  )
  gauge('tally_collect_in_flight_events', 'Events not yet durable.', () => inFlight().events)
  return {
    events: new Counter({
      name: 'tally_events_total',
      help: 'Events by result: accepted, refused, or ignored (says nothing about usage).',
      labelNames: ['result'],
      registers
    }),
    faults: new Counter({
      name: 'tally_collect_faults_total',
      help: 'Faults found in requests, by dialect and code.',
      labelNames: ['source', 'code'],
      registers
    }),
    requests: new Counter({
      name: 'tally_collect_requests_total',
      help: 'Requests by dialect and HTTP status.',
      labelNames: ['source', 'status'],
      registers
    }),
    requestSeconds: new Histogram({
      name: 'tally_collect_request_duration_seconds',
      help: 'Time from the head of a request to its answer.',
      labelNames: ['source'],
      buckets: REQUEST_SECONDS,
      registers
    }),
    lagSeconds: new Histogram({
      name: 'tally_event_lag_seconds',
      help: 'Age of the latest event of a request when it was durable.',
      buckets: LAG_SECONDS,
      registers
    }),
    appendSeconds: new Histogram({
      name: 'tally_collect_append_duration_seconds',
      help: 'Time until the log had every event of a request.',
      buckets: REQUEST_SECONDS,
      registers
    })
  }
}
