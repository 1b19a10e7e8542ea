import type { Draft } from '../define.ts'
import { expectedShare, knownTrials } from '../statistics/rise-baseline.ts'
import { RISE_SHAPE } from '../statistics/rise-record.ts'
import { wordsOf, type Slots } from '../statistics/series-slots.ts'

/** A part that a feature is made of: a tool, an index, a stage, a model of a provider. */

/** Three stretches of five minutes, each with calls, failed, throttled; then the newest's number. */
const BUCKETS = 3
const BUCKET = 3
const RECENT = RISE_SHAPE.doubles
const NEWEST = RECENT + BUCKETS * BUCKET
/** A rising share, and the last quarter of an hour behind it. */
export const SHAPE = { ...RISE_SHAPE, doubles: NEWEST + 1 }
const BUCKET_MS = 5 * 60_000

export type Calls = { n: number; failed: number; throttled: number }

/** Adds a minute to the last quarter of an hour. */
export const addRecent = ({ records }: Slots, slot: number, ms: number, calls: Calls): void => {
  const d = records.doubles
  const at = slot * records.shape.doubles
  const bucket = Math.floor(ms / BUCKET_MS)
  const place = at + RECENT + (bucket % BUCKETS) * BUCKET
  const gone = Math.min(BUCKETS, bucket - d[at + NEWEST]!)
  for (let step = 0; step < gone; step++) {
    const old = at + RECENT + ((bucket - step) % BUCKETS) * BUCKET
    d.fill(0, old, old + BUCKET)
  }
  d[at + NEWEST] = bucket
  d[place]! += calls.n
  d[place + 1]! += calls.failed
  d[place + 2]! += calls.throttled
}

/** Calls of the last 10 to 15 minutes before `ms`. */
const recentCalls = ({ records }: Slots, slot: number, ms: number): Calls => {
  const d = records.doubles
  const at = slot * records.shape.doubles
  const calls = { n: 0, failed: 0, throttled: 0 }
  const behind = Math.floor(ms / BUCKET_MS) - d[at + NEWEST]!
  for (let age = 0; age < BUCKETS - behind; age++) {
    const place = at + RECENT + ((d[at + NEWEST]! - age) % BUCKETS) * BUCKET
    calls.n += d[place]!
    calls.failed += d[place + 1]!
    calls.throttled += d[place + 2]!
  }
  return calls
}

export type Component = {
  slot: number
  tenant: string
  kind: string
  name: string | null
  provider: string | null
  model: string | null
  calls: Calls
  /** Failed share that is usual at this hour, and failures beyond it. */
  usual: number
  excess: number
}

/** Assumed of a component of which too little is known yet. */
const USUAL_DEFAULT = 0.01
const USUAL_TRIALS_MIN = 20

const usualShare = ({ records }: Slots, slot: number, ms: number): number =>
  knownTrials(records.doubles, slot * records.shape.doubles) < USUAL_TRIALS_MIN
    ? USUAL_DEFAULT
    : expectedShare(records, slot, ms)

/** Components that were called lately, worst first; of all tenants when `tenant` is null. */
export const componentsOf = (slots: Slots, tenant: string | null, ms: number): Component[] => {
  const prefix = tenant === null ? '[' : `[${JSON.stringify(tenant)},`
  const found: Component[] = []
  for (const [slot, key] of slots.keys.entries()) {
    if (!key.startsWith(prefix)) continue
    const calls = recentCalls(slots, slot, ms)
    if (calls.n === 0) continue
    const [owner, kind, name, provider, model] = wordsOf(slots, slot)
    const usual = usualShare(slots, slot, ms)
    found.push({
      slot,
      tenant: owner ?? '',
      kind: kind ?? '',
      name: name ?? null,
      provider: provider ?? null,
      model: model ?? null,
      calls,
      usual,
      excess: calls.failed - usual * calls.n
    })
  }
  return found.sort((a, b) => weight(b) - weight(a) || a.slot - b.slot)
}

/** An agent fails because a step of it does: it is the axis only when no step is. */
const CONTAINER = 'agent'
const weight = ({ kind, excess }: Component): number =>
  kind === CONTAINER ? Math.min(0, excess) : excess

const RETRIEVAL = ['retrieval', 'rerank', 'embedding']
/** Share of failures by throttling or overload, from which on the provider is the axis. */
const THROTTLED_SHARE = 0.5

/** Where to look, by what failed: the rest of `all` says whether a provider fails as a whole. */
export const axisOf = (worst: Component, all: readonly Component[]): Draft['axis'] => {
  if (worst.kind === 'tool') return 'tool'
  if (RETRIEVAL.includes(worst.kind)) return 'retrieval'
  if (worst.kind === CONTAINER) return null
  if (worst.calls.throttled >= THROTTLED_SHARE * worst.calls.failed) return 'provider'
  const models = all.filter(({ kind, provider }) => kind === 'llm' && provider === worst.provider)
  const failing = models.filter(({ excess, calls }) => excess >= 3 && excess >= 0.05 * calls.n)
  return models.length > 1 && failing.length === models.length ? 'provider' : 'model'
}

export const titleOf = ({ kind, name, provider, model }: Component): string =>
  kind === 'llm'
    ? `model ${[provider, model].filter((word) => word !== null).join('/') || 'unknown'}`
    : `${kind} ${name ?? 'without name'}`
