import { voteNats } from '../statistics/sign-bets.ts'
import { FILLING_MINUTES, type Pool } from './pool.ts'
import { EVENTS, NOVEL, RING, RING_MINUTES, valueAt } from './tenant-ring.ts'

/**
 * Who began to put more into a shared cache than before: by the shape of prompts (new tokens per
 * event) or by volume (events). Two CUSUMs of scaled Poisson log-likelihood ratios per tenant;
 * the ratio r that is bet on sets what is still healthy, as the bet gains only above (r−1)/ln r.
 */

/** Gains above 2.2 times as many new tokens per event. */
const SHAPE_RATIO = 4
/** Gains above 2.8 times as many events: a tenant's own growth within minutes stays below. */
const VOLUME_RATIO = 6
/** No minute counts for more, and none leaves more than this for the next. */
const CAP_NATS = 3
/** The yardstick is half an hour that ended ten minutes ago. */
const LAG_MINUTES = 10
const YARDSTICK_MINUTES = 30
/** Fewer minutes of yardstick than this say nothing. */
const YARDSTICK_MIN = 10
/** A yardstick of this many minutes is only half believed, being noisy itself. */
const YARDSTICK_ERROR_MINUTES = 7
/** Evidence that makes a tenant a suspect. */
export const SUSPECT_NATS = 5
/** Volume is healthy up to this ratio: where the bet on `VOLUME_RATIO` begins to gain. */
const HEALTHY_RATIO = (VOLUME_RATIO - 1) / Math.log(VOLUME_RATIO)
/**
 * Nats by which calls must have outgrown health: z²/2 at the one-sided levels of 10 and of 5 %. A bet
 * starts at whichever minute suits it, and its yardstick is noisy: few calls may win it by chance.
 */
const OUTGREW_NATS = 1.28 ** 2 / 2
const OUTGREW_SURELY_NATS = 1.645 ** 2 / 2

/** Judges the minute that just ended for every tenant of a pool. */
export const updateSuspicion = (pool: Pool, minute: number): void => {
  const to = minute - LAG_MINUTES
  const from = Math.max(
    pool.firstMinute + FILLING_MINUTES,
    to - YARDSTICK_MINUTES,
    minute - RING_MINUTES + 1
  )
  if (to - from < YARDSTICK_MIN) return
  for (const slot of pool.tenants.values()) updateTenant(pool, slot, minute, [from, to])
}

const updateTenant = (
  { ring }: Pool,
  slot: number,
  minute: number,
  [from, to]: [number, number]
): void => {
  const d = ring.doubles
  const at = slot * ring.shape.doubles
  const start = Math.max(from, d[at + RING.firstMinute]!)
  if (to - start < YARDSTICK_MIN) return
  const events = valueAt(ring, slot, minute, EVENTS)
  const usual = yardstick(ring, slot, start, to)
  if (usual.events <= 0) return
  const perEvent = usual.novel / usual.events
  const shape = gain(
    valueAt(ring, slot, minute, NOVEL),
    events * perEvent,
    usual.novelSpread,
    SHAPE_RATIO
  )
  const volume = gain(events, usual.events, usual.eventsSpread, VOLUME_RATIO)
  const trust = (to - start) / (to - start + YARDSTICK_ERROR_MINUTES)
  accumulate(d, at + RING.shapeNats, shape, { trust, minute })
  accumulate(d, at + RING.volumeNats, volume, { trust, minute })
}

/** Nats of one minute: a count x where μ was expected, with variance φ·μ. */
const gain = (x: number, mu: number, phi: number, ratio: number): number =>
  mu <= 0 || phi <= 0 ? 0 : (x * Math.log(ratio) - mu * (ratio - 1)) / phi

/**
 * The numbers after the evidence hold the minute at which it last left zero, and what the last minute
 * had beyond the cap: it counts for the next one, as calls fall on either side of a minute by chance.
 * What was counted is never more than what was seen, so the odds of a false alarm do not grow.
 */
const accumulate = (
  d: Float64Array,
  at: number,
  seen: number,
  { trust, minute }: { trust: number; minute: number }
): void => {
  if (d[at]! <= 0) {
    d[at + 1] = minute
    d[at + 2] = 0
  }
  const nats = seen + d[at + 2]!
  const counted = Math.min(CAP_NATS, nats)
  d[at + 2] = Math.min(CAP_NATS, nats - counted)
  d[at] = Math.max(0, d[at]!) + counted * trust
}

type Yardstick = { events: number; novel: number; eventsSpread: number; novelSpread: number }

/** Means per minute, and variance over mean of what varies around them. */
const yardstick = (ring: Pool['ring'], slot: number, from: number, to: number): Yardstick => {
  let events = 0
  let novel = 0
  let eventsSquared = 0
  for (let minute = from; minute < to; minute++) {
    const count = valueAt(ring, slot, minute, EVENTS)
    events += count
    eventsSquared += count * count
    novel += valueAt(ring, slot, minute, NOVEL)
  }
  const minutes = to - from
  const mean = events / minutes
  const perEvent = events > 0 ? novel / events : 0
  let residual = 0
  for (let minute = from; minute < to; minute++) {
    const expected = valueAt(ring, slot, minute, EVENTS) * perEvent
    residual += (valueAt(ring, slot, minute, NOVEL) - expected) ** 2
  }
  return {
    events: mean,
    novel: novel / minutes,
    eventsSpread: Math.max(1, (eventsSquared / minutes - mean * mean) / Math.max(mean, 1e-9)),
    novelSpread: novel > 0 ? Math.max(perEvent / 2, residual / novel) : 0
  }
}

export type Suspect = {
  tenant: string
  slot: number
  nats: number
  sinceMinute: number
  by: 'shape' | 'volume'
  /** Growth beyond what is healthy is beyond doubt; always, where the shape changed. */
  sure: boolean
}

/** Since when a tenant's calls have grown, and the nats that they outgrew health. */
type Growth = { sinceMinute: number; nats: number }
const NO_GROWTH: Growth = { sinceMinute: 0, nats: 0 }

/**
 * A minute of few calls ends a bet, and the next one begins amid the growth: what came just before it
 * is then no measure of health. The growth may so have begun at any minute that the bet's own yardstick
 * leaves out; to have chosen among these costs the logarithm of their number.
 */
const growthOf = (
  { ring, firstMinute }: Pool,
  slot: number,
  [betSince, now]: readonly [number, number]
): Growth => {
  const first = Math.max(
    firstMinute + FILLING_MINUTES,
    ring.doubles[slot * ring.shape.doubles + RING.firstMinute]!
  )
  const from = Math.max(first, betSince - YARDSTICK_MINUTES, now - RING_MINUTES + 1)
  const best = { sinceMinute: betSince, nats: outgrewHealth(ring, slot, [from, betSince, now]) }
  const firstBet = first + LAG_MINUTES + YARDSTICK_MIN
  const earliest = Math.max(firstBet, betSince - LAG_MINUTES, from + YARDSTICK_MIN)
  const choiceNats = Math.log(Math.max(1, betSince - earliest))
  for (let since = betSince - 1; since >= earliest; since--) {
    const nats = outgrewHealth(ring, slot, [from, since, now]) - choiceNats
    if (nats > best.nats) Object.assign(best, { sinceMinute: since, nats })
  }
  return best
}

/**
 * Nats that a tenant's calls since a minute are more than the healthy multiple of those before it:
 * given the sum of both, each is a binomial share, so the yardstick's own error counts, too.
 */
const outgrewHealth = (
  ring: Pool['ring'],
  slot: number,
  [from, since, now]: readonly [number, number, number]
): number => {
  const minutes = { before: since - from, after: now + 1 - since }
  if (minutes.before <= 0) return 0
  const usual = yardstick(ring, slot, from, since)
  const before = usual.events * minutes.before
  let after = 0
  for (let minute = since; minute <= now; minute++) {
    after += valueAt(ring, slot, minute, EVENTS)
  }
  const healthy = HEALTHY_RATIO * minutes.after
  const p0 = healthy / (healthy + minutes.before)
  const share = after / Math.max(1, after + before)
  if (before <= 0 || share <= p0) return 0
  return voteNats({ yes: after, no: before }, p0, share) / usual.eventsSpread
}

/** Tenants with strong evidence of change up to a minute, strongest first. */
export const suspects = (pool: Pool, minute: number): Suspect[] => {
  const found: Suspect[] = []
  const d = pool.ring.doubles
  for (const [tenant, slot] of pool.tenants) {
    const at = slot * pool.ring.shape.doubles
    const shape = d[at + RING.shapeNats]!
    const louder = d[at + RING.volumeNats]!
    if (Math.max(shape, louder) < SUSPECT_NATS) continue
    const grown =
      louder < SUSPECT_NATS ? NO_GROWTH : growthOf(pool, slot, [d[at + RING.volumeSince]!, minute])
    const volume = grown.nats < OUTGREW_NATS ? 0 : louder
    const by = shape >= volume ? 'shape' : 'volume'
    const nats = Math.max(shape, volume)
    if (nats < SUSPECT_NATS) continue
    const sinceMinute = by === 'shape' ? d[at + RING.shapeSince]! : grown.sinceMinute
    const sure = by === 'shape' || grown.nats >= OUTGREW_SURELY_NATS
    found.push({ tenant, slot, nats, sinceMinute, by, sure })
  }
  return found.sort((a, b) => b.nats - a.nats || (a.tenant < b.tenant ? -1 : 1))
}
