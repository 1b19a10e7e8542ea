import { mixNats } from '../statistics/sign-bets.ts'
import type { UsageAt } from './gap-minutes.ts'
import { persistence } from './persistence.ts'
import type { Pool } from './pool.ts'
import { EVENTS, valueAt } from './tenant-ring.ts'

/**
 * Evidence that some tenant of a pool lost, each judged by itself: where few lose much, the sum over
 * all drowns them in what the heavy ones do by chance.
 */

type Span = readonly [from: number, to: number]

type SingleLoss = {
  /** Of the mean over tenants, so that having many of them makes none of it more likely. */
  nats: number
  /** Tokens that the surest loser lost, as a share of what the cache usually serves to all. */
  share: number
}

/** One tenant's minutes are few and lumpy: fewer of them than this tell nothing. */
const MINUTES_MIN = 5

/** The tenants that are judged, and how their minutes are read. */
type Judged = { slots: readonly number[]; usage: UsageAt }

export const singleLoss = (
  pool: Pool,
  { slots, usage }: Judged,
  before: Span,
  after: Span
): SingleLoss => {
  if (slots.length === 0 || after[1] - after[0] < MINUTES_MIN) return { nats: 0, share: 0 }
  const losses = slots.map((slot) => tenantLoss({ pool, usage }, slot, before, after))
  const surest = losses.reduce((most, loss) => (loss.z > most.z ? loss : most))
  const usual = losses.reduce((sum, loss) => sum + loss.usual, 0)
  const nats = mixNats(losses.map(({ z }) => (z > 0 ? (z * z) / 2 : 0)))
  return { nats, share: usual > 0 ? surest.lost / usual : 0 }
}

/** Tokens lost beyond the usual, and how many standard errors that is. */
type Loss = { z: number; lost: number; usual: number }

type Read = { pool: Pool; usage: UsageAt }

/**
 * What a tenant loses of its usual reuse beyond the share of before: a quasi-Poisson test of the ratio
 * of lost to usual tokens, with the variance that its minutes before show.
 */
const tenantLoss = (read: Read, slot: number, before: Span, after: Span): Loss => {
  const old = totals(read, slot, before)
  const now = totals(read, slot, after)
  if (old.usual <= 0 || now.usual <= 0) return { z: 0, lost: 0, usual: now.usual }
  const share = old.lost / old.usual
  const residuals: number[] = []
  for (let minute = before[0]; minute < before[1]; minute++) {
    const { usual, remiss } = read.usage(slot, minute)
    residuals.push(remiss - share * usual)
  }
  const squares = residuals.reduce((sum, residual) => sum + residual * residual, 0)
  // A tenant that never lost may still lose one prompt by chance.
  const least = (old.usual / Math.max(1, old.events)) ** 2
  const perToken = (Math.max(squares, least) / old.usual) * persistence(residuals, 0)
  const variance = perToken * now.usual * (1 + now.usual / old.usual)
  const lost = now.lost - share * now.usual
  return { z: lost / Math.sqrt(variance), lost, usual: now.usual }
}

const totals = ({ pool, usage }: Read, slot: number, [from, to]: Span) => {
  const sum = { events: 0, usual: 0, lost: 0 }
  for (let minute = from; minute < to; minute++) {
    const { usual, remiss } = usage(slot, minute)
    sum.events += valueAt(pool.ring, slot, minute, EVENTS)
    sum.usual += usual
    sum.lost += remiss
  }
  return sum
}
