/**
 * The rules that products offer for any metric, told one value a minute: a z-score against the last
 * hour, and 15- and 60-minute means against the day. Each is muted for an hour after it fires.
 */

export type Observation = { minute: number; value: number; n: number }

export type RuleTally = {
  observe: (observation: Observation) => void
  /** Adds what another tally counted after `fromMinute`. */
  add: (other: RuleTally, fromMinute: number) => void
  fired: () => readonly (readonly number[])[]
  /** Markdown: the signal's own findings first, then each rule's, per tenant-month. */
  table: (own: { name: string; found: number; months: number }) => string
}

type Rule = { name: string; fires: (history: History, observation: Observation) => boolean }

/** Values of the last day, by minute. */
type History = { minutes: number[]; values: number[] }

const DAY = 1440
const MUTE_MINUTES = 60
const Z = 3

const meanSince = (
  { minutes, values }: History,
  from: number
): { mean: number; n: number; square: number } => {
  let n = 0
  let sum = 0
  let square = 0
  for (let i = minutes.length - 1; i >= 0 && minutes[i]! >= from; i--) {
    n += 1
    sum += values[i]!
    square += values[i]! ** 2
  }
  return { n, mean: n > 0 ? sum / n : 0, square: n > 0 ? square / n : 0 }
}

const rules = (side: 'high' | 'low'): Rule[] => {
  const beyond = (value: number, limit: number): boolean =>
    side === 'high' ? value > limit : value < limit
  const relative = (span: number, factor: number): Rule => ({
    name: `${span}-minute mean ${side === 'high' ? 'above' : 'below'} ${factor} × the day's`,
    fires: (history, { minute }) => {
      const recent = meanSince(history, minute - span + 1)
      const day = meanSince(history, minute - DAY + 1)
      return recent.n >= 5 && day.n >= 60 && beyond(recent.mean, factor * day.mean)
    }
  })
  return [
    {
      name: '1-minute value 3 standard deviations off the last hour',
      fires: (history, { minute, value }) => {
        const { n, mean, square } = meanSince(history, minute - 60)
        const sd = Math.sqrt(Math.max(square - mean * mean, 1e-12))
        return n >= 20 && beyond(value, mean + (side === 'high' ? Z : -Z) * sd)
      }
    },
    relative(15, side === 'high' ? 1.5 : 0.67),
    relative(60, side === 'high' ? 1.5 : 0.67)
  ]
}

export const rowsOfRules = (side: 'high' | 'low'): RuleTally => {
  const known = rules(side)
  const fired: number[][] = known.map(() => [])
  const history: History = { minutes: [], values: [] }
  return {
    observe: (observation) => {
      for (const [index, rule] of known.entries()) {
        const last = fired[index]!.at(-1) ?? -Infinity
        if (observation.minute - last < MUTE_MINUTES) continue
        if (rule.fires(history, observation)) fired[index]!.push(observation.minute)
      }
      history.minutes.push(observation.minute)
      history.values.push(observation.value)
      if (history.minutes.length > 2 * DAY) {
        history.minutes.splice(0, DAY)
        history.values.splice(0, DAY)
      }
    },
    add: (other, fromMinute) => {
      for (const [index, minutes] of other.fired().entries()) {
        fired[index]!.push(...minutes.filter((minute) => minute >= fromMinute))
      }
    },
    fired: () => fired,
    table: ({ name, found, months }) =>
      [
        '| rule | false per tenant-month |',
        '|---|---|',
        `| ${name} | ${(found / months).toFixed(4)} |`,
        ...known.map(
          (rule, index) => `| ${rule.name} | ${(fired[index]!.length / months).toFixed(2)} |`
        )
      ].join('\n')
  }
}
