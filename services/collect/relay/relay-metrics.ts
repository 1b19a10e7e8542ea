import { Counter, type Registry } from 'prom-client'
import type { RelayCounts } from './relay-records.ts'

/** Counts what the relay takes in, for `/metrics`. */
export const relayCounter = (registry: Registry): ((counts: RelayCounts) => void) => {
  const records = new Counter({
    name: 'tally_relay_items_total',
    help: 'Records read from topics of others, and what became of what they hold.',
    labelNames: ['result'],
    registers: [registry]
  })
  return ({ records: read, events, refused, ignored }) => {
    records.inc({ result: 'read' }, read)
    records.inc({ result: 'accepted' }, events)
    records.inc({ result: 'refused' }, refused)
    records.inc({ result: 'ignored' }, ignored)
  }
}
