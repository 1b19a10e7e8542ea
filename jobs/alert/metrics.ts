import { Counter, Gauge, type Registry } from 'prom-client'
import { SEVERITIES } from '../../schemas/finding.ts'
import type { LaneObserver } from './delivery/lane-doors.ts'
import { isOpen, type FoldState } from './incidents/incident.ts'

/** Numbers about the alerts themselves; names and help texts are their documentation. */
export type AlertMetrics = {
  observer: LaneObserver
  /** Says how things stand after a fold at this time. */
  folded: (state: FoldState, at: Date) => void
}

export const alertMetrics = (registry: Registry): AlertMetrics => {
  const registers = [registry]
  const counter = (name: string, help: string): Counter<'channel'> =>
    new Counter({ name, help, labelNames: ['channel'], registers })
  const delivered = counter('tally_alert_delivered_total', 'Notices that a channel took.')
  const retried = counter('tally_alert_retried_total', 'Attempts that failed and are repeated.')
  const parked = counter('tally_alert_parked_total', 'Notices that a receiver refused for good.')
  const pending = new Gauge({
    name: 'tally_alert_pending',
    help: 'Notices that wait for a channel, as far as it looked ahead.',
    labelNames: ['channel'],
    registers
  })
  return {
    observer: {
      delivered: (channel, count) => delivered.inc({ channel }, count),
      retried: (channel) => retried.inc({ channel }),
      parked: (channel) => parked.inc({ channel }),
      pending: (channel, count) => pending.set({ channel }, count)
    },
    folded: incidentGauges(registry)
  }
}

const incidentGauges = (registry: Registry): AlertMetrics['folded'] => {
  const open = new Gauge({
    name: 'tally_incidents_open',
    help: 'Incidents that are open or acknowledged.',
    labelNames: ['severity'],
    registers: [registry]
  })
  const success = new Gauge({
    name: 'tally_last_success_timestamp_seconds',
    help: 'When a job (label task: Prometheus has its own job) last did its work, since the epoch.',
    labelNames: ['task'],
    registers: [registry]
  })
  return ({ incidents }, at) => {
    const standing = incidents.filter(isOpen)
    for (const severity of SEVERITIES) {
      open.set({ severity }, standing.filter((one) => one.severity === severity).length)
    }
    success.set({ task: 'alert' }, at.getTime() / 1_000)
  }
}
