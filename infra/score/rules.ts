/**
 * The rules that products offer for any metric, told one value a minute: a fixed limit, two means
 * against the day's, a z-score against the last hour, and one against the same hour of day.
 */

/** One minute with traffic. The value's weight is what a mean over minutes weighs it by. */
export type Observation = { minute: number; n: number; value: number; weight: number }

/** What a rule takes for wrong: a mean beyond a limit, or beyond so many times the day's. */
export type RuleLimits = {
  side: 'high' | 'low'
  /** Of the mean over 5 minutes; null where a metric has no usual level. */
  fixed: number | null
  /** Times the day's mean, for 15 and 60 minutes. */
  fifteen: number
  sixty: number
  /** What the value is, in the words of the table: `hit rate`. */
  what: string
}

export type Rule = { name: string; fires: (observation: Observation) => boolean }

const DAY = 1440
const HOURS = 24
const Z = 3
/** Values that a z-score needs before it speaks, and how many it looks back on. */
const SCORED_MIN = 20
const SCORED = 60
/** Weight that a new value has in what an hour of day remembers: of about two weeks. */
const SEASON_RATE = 1 / 500

/** Sums over the last so many minutes, in constant time a minute. */
const createSpan = (minutes: number) => {
  const at = new Float64Array(minutes)
  const n = new Float64Array(minutes)
  const weights = new Float64Array(minutes)
  const values = new Float64Array(minutes)
  let [first, count] = [0, 0]
  const sum = { n: 0, weight: 0, value: 0 }
  return {
    sum,
    mean: (): number => sum.value / sum.weight,
    add: (one: Observation): void => {
      for (; count > 0 && at[first]! <= one.minute - minutes; count--) {
        sum.n -= n[first]!
        sum.weight -= weights[first]!
        sum.value -= values[first]!
        first = (first + 1) % minutes
      }
      const last = (first + count++) % minutes
      at[last] = one.minute
      sum.n += n[last] = one.n
      sum.weight += weights[last] = one.weight
      sum.value += values[last] = one.weight * one.value
    }
  }
}

const isBeyond = ({ side }: RuleLimits, value: number, limit: number): boolean =>
  side === 'high' ? value > limit : value < limit

const wordOf = ({ side }: RuleLimits): string => (side === 'high' ? 'above' : 'below')

const fixed = (limits: RuleLimits, limit: number): Rule => {
  const span = createSpan(5)
  return {
    name: `5-minute ${limits.what} ${wordOf(limits)} ${limit}, 20 calls or more`,
    fires: (one) => {
      span.add(one)
      return span.sum.n >= 20 && isBeyond(limits, span.mean(), limit)
    }
  }
}

const relative = (
  limits: RuleLimits,
  { minutes, factor, calls }: { minutes: number; factor: number; calls: number }
): Rule => {
  const [now, day] = [createSpan(minutes), createSpan(DAY)]
  return {
    name: `${minutes}-minute ${limits.what} ${wordOf(limits)} ${factor} × the day's, ${calls} calls or more`,
    fires: (one) => {
      now.add(one)
      day.add(one)
      return now.sum.n >= calls && isBeyond(limits, now.mean(), factor * day.mean())
    }
  }
}

const isOutlying = (limits: RuleLimits, value: number, mean: number, square: number): boolean => {
  const sd = Math.sqrt(Math.max(square - mean * mean, 1e-6 * mean * mean, 1e-12))
  return isBeyond(limits, value, mean + (limits.side === 'high' ? Z : -Z) * sd)
}

const score = (limits: RuleLimits): Rule => {
  const kept = new Float64Array(SCORED)
  let [seen, sum, square] = [0, 0, 0]
  return {
    name: `1-minute ${limits.what} ${Z} standard deviations ${wordOf(limits)} the last hour's`,
    fires: ({ value }) => {
      const count = Math.min(seen, SCORED)
      const isOut = count >= SCORED_MIN && isOutlying(limits, value, sum / count, square / count)
      const at = seen++ % SCORED
      sum += value - kept[at]!
      square += value * value - kept[at]! ** 2
      kept[at] = value
      return isOut
    }
  }
}

const seasonalScore = (limits: RuleLimits): Rule => {
  const hours = Array.from({ length: HOURS }, () => ({ seen: 0, mean: 0, square: 0 }))
  return {
    name: `1-minute ${limits.what} ${Z} standard deviations ${wordOf(limits)} the same hour's`,
    fires: ({ minute, value }) => {
      const hour = hours[Math.floor(minute / 60) % HOURS]!
      const isOut = hour.seen >= SCORED && isOutlying(limits, value, hour.mean, hour.square)
      hour.seen += 1
      const rate = Math.max(SEASON_RATE, 1 / hour.seen)
      hour.mean += rate * (value - hour.mean)
      hour.square += rate * (value * value - hour.square)
      return isOut
    }
  }
}

/** Fresh rules for one series. */
export const createRules = (limits: RuleLimits): Rule[] => [
  ...(limits.fixed === null ? [] : [fixed(limits, limits.fixed)]),
  relative(limits, { minutes: 15, factor: limits.fifteen, calls: 10 }),
  relative(limits, { minutes: 60, factor: limits.sixty, calls: 50 }),
  score(limits),
  seasonalScore(limits)
]
