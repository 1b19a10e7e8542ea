import type { Engine } from '../../services/lake/engine.ts'
import { quoted } from '../../services/lake/parquet-writer.ts'

/**
 * Large hours are written in parts, so that memory has a bound: rows are wide, a window takes two
 * kilobytes while it is added up, and an engine has 512 MiB. Parts follow from the rows alone.
 */
export const PART_EVENTS_MAX = 60_000

const EVERYTHING = ['true']

/** Conditions that split the rows of `relation` by tenant and time, in this order. */
export const eventParts = async (
  engine: Engine,
  relation: string,
  eventsMax: number
): Promise<readonly string[]> => {
  const cuts = await engine.rows(`SELECT DISTINCT tenant, epoch_us(time)::VARCHAR AS time_us FROM (
      SELECT tenant, time, row_number() OVER (ORDER BY tenant, time) AS place FROM ${relation})
    WHERE place % ${eventsMax} = 0 ORDER BY tenant, time_us::BIGINT`)
  if (cuts.length === 0) return EVERYTHING
  const from = cuts.map(({ tenant, time_us }) => {
    const name = quoted(String(tenant))
    const time = `make_timestamptz(${String(time_us)}::BIGINT)`
    return `(tenant > ${name} OR (tenant = ${name} AND time >= ${time}))`
  })
  return ['true', ...from].map((start, part) =>
    from[part] === undefined ? start : `${start} AND NOT ${from[part]}`
  )
}

/** Conditions that split the rows of `relation` by whole minutes, in order; no window is in two. */
export const minuteParts = async (
  engine: Engine,
  relation: string,
  eventsMax: number
): Promise<readonly string[]> => {
  const minutes =
    await engine.rows(`SELECT start_us::VARCHAR AS start_us, count(*)::DOUBLE AS events
    FROM (SELECT epoch_us(time_bucket(INTERVAL 1 MINUTE, time)) AS start_us FROM ${relation}) m
    GROUP BY m.start_us ORDER BY m.start_us`)
  const cuts: string[] = []
  let events = 0
  for (const minute of minutes) {
    const more = Number(minute['events'])
    if (events > 0 && events + more > eventsMax) {
      cuts.push(`make_timestamptz(${String(minute['start_us'])}::BIGINT)`)
      events = 0
    }
    events += more
  }
  if (cuts.length === 0) return EVERYTHING
  return ['true', ...cuts.map((cut) => `time >= ${cut}`)].map((start, part) =>
    cuts[part] === undefined ? start : `${start} AND time < ${cuts[part]}`
  )
}
