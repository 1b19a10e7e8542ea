import { Counter, Histogram, type Registry } from 'prom-client'

/** Numbers about answering; names and help texts are their documentation. */
export type ServeMetrics = {
  requests: Counter<'route' | 'status'>
  seconds: Histogram<'route'>
}

/** From an answer out of a roll-up to the limit of a query. */
const SECONDS = [0.005, 0.025, 0.1, 0.3, 1, 3, 10, 30]

export const serveMetrics = (registry: Registry): ServeMetrics => ({
  requests: new Counter({
    name: 'tally_serve_requests_total',
    help: 'Requests to the API by route and HTTP status.',
    labelNames: ['route', 'status'],
    registers: [registry]
  }),
  seconds: new Histogram({
    name: 'tally_serve_request_duration_seconds',
    help: 'Time from the head of a request to the API until its answer left.',
    labelNames: ['route'],
    buckets: SECONDS,
    registers: [registry]
  })
})
