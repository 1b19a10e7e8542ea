import type { UsageEvent } from '../../schemas/event.ts'
import { eventRecord } from '../../services/collect/event-record.ts'
import type { OutRecord } from '../../services/stream/log.ts'
import { createRandom, type Random } from '../worlds/random.ts'

/** What was sent, written down before it is sent: the truth that tables are compared with. */
export type Ledger = {
  records: OutRecord[]
  /** The event in each record. */
  events: UsageEvent[]
  /** Figures that settled events and windows must show, exactly. */
  truth: Truth
}

export type Truth = {
  events: number
  inTotal: number
  outTotal: number
  cacheRead: number
  byTenant: Record<string, number>
  /** Records sent in all, repeats included. */
  records: number
  conflicts: number
}

export type LedgerOptions = {
  seed: number
  events: number
  /** Time of the first event. */
  startMs: number
  /** Share of events that are sent twice, half of them under another key. */
  repeats?: number
  /** Share of events whose id comes again with other content. */
  conflicts?: number
  prefix?: string
}

const TENANTS = 7
const PREFIXES = 40
const STEP_MS = 700
/** Up to this much out of order: ten minutes. */
const DISORDER_MS = 600_000

const START_MS = Date.parse('2026-03-01T00:00:00Z')

/** A ledger of so many events whose ids begin with a name of their own, all of one day in March. */
export const ledgerOf = (
  prefix: string,
  events: number,
  more: Partial<LedgerOptions> = {}
): Ledger => createLedger({ seed: events, events, startMs: START_MS, prefix, ...more })

/** Seeded events with repeats in other partitions, conflicts and disorder. */
export const createLedger = (options: LedgerOptions): Ledger => {
  const random = createRandom(options.seed)
  const sent: Sent[] = []
  const first: UsageEvent[] = []
  for (let index = 0; index < options.events; index++) {
    const event = createEvent(random, options, index)
    first.push(event)
    sent.push(...deliveries(random, options, event))
  }
  const conflicts = sent.filter(({ isConflict }) => isConflict).length
  return {
    records: sent.map(({ record }) => record),
    events: sent.map(({ event }) => event),
    truth: { ...truthOf(first), records: sent.length, conflicts }
  }
}

/** Figures of distinct events, each sent once. */
export const truthOf = (events: readonly UsageEvent[]): Truth => {
  const truth: Truth = { ...NOTHING_SENT, byTenant: {}, records: events.length }
  for (const event of events) count(truth, event)
  return truth
}

/** Figures of two ledgers that share no event. */
export const sumTruth = (a: Truth, b: Truth): Truth => {
  const byTenant = { ...a.byTenant }
  for (const [tenant, n] of Object.entries(b.byTenant)) {
    byTenant[tenant] = n + (byTenant[tenant] ?? 0)
  }
  return {
    events: a.events + b.events,
    inTotal: a.inTotal + b.inTotal,
    outTotal: a.outTotal + b.outTotal,
    cacheRead: a.cacheRead + b.cacheRead,
    records: a.records + b.records,
    conflicts: a.conflicts + b.conflicts,
    byTenant
  }
}

const NOTHING_SENT = {
  events: 0,
  inTotal: 0,
  outTotal: 0,
  cacheRead: 0,
  records: 0,
  conflicts: 0
} as const

type Sent = { record: OutRecord; event: UsageEvent; isConflict: boolean }

const createEvent = (random: Random, options: LedgerOptions, index: number): UsageEvent => {
  const cacheRead = random.integer(0, 5_000)
  const prefix = random.integer(0, PREFIXES)
  const timeMs = options.startMs + index * STEP_MS - random.integer(0, DISORDER_MS)
  return {
    id: `${options.prefix ?? 'event'}-${index}`,
    source: 'ledger',
    time: new Date(timeMs).toISOString(),
    tenant: `tenant-${random.integer(0, TENANTS)}`,
    kind: 'llm',
    trace_id: `trace-${random.integer(0, options.events)}`,
    provider: 'openai',
    response_model: random.uniform() < 0.5 ? 'gpt-4o-2024-08-06' : 'nobody-prices-this',
    duration_ms: random.integer(1, 60_000),
    tokens: {
      in_uncached: random.integer(1, 5_000),
      in_cache_read: cacheRead,
      out_text: random.integer(0, 2_000)
    },
    prefix: {
      hash: `prefix-${prefix}`,
      blocks: [`b-${prefix % 5}`, `b-${prefix}`],
      block_tokens: 128
    }
  }
}

const count = (truth: Truth, event: UsageEvent): void => {
  const tokens = event.tokens ?? {}
  truth.events += 1
  truth.inTotal += (tokens.in_uncached ?? 0) + (tokens.in_cache_read ?? 0)
  truth.outTotal += tokens.out_text ?? 0
  truth.cacheRead += tokens.in_cache_read ?? 0
  truth.byTenant[event.tenant] = (truth.byTenant[event.tenant] ?? 0) + 1
}

/** The records of one event: mostly one; a repeat may travel by another partition. */
const deliveries = (
  random: Random,
  { repeats = 0, conflicts = 0 }: LedgerOptions,
  event: UsageEvent
): Sent[] => {
  const record = eventRecord(event)
  const sent: Sent[] = [{ record, event, isConflict: false }]
  if (random.uniform() < repeats) {
    const again = random.uniform() < 0.5 ? record : { ...record, key: `other-${event.id}` }
    sent.push({ record: again, event, isConflict: false })
  }
  if (random.uniform() < conflicts) {
    // Behind the true record in its own partition, so that the true one is the earlier.
    const other = { ...event, duration_ms: 1 + (event.duration_ms ?? 0) }
    sent.push({
      record: { ...eventRecord(other), key: record.key },
      event: other,
      isConflict: true
    })
  }
  return sent
}
