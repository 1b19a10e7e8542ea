import { EVENT_FIELDS } from '../../schemas/event-fields.ts'
import type { Engine } from '../../services/lake/engine.ts'
import { quoted } from '../../services/lake/parquet-writer.ts'

/**
 * Large hours are written in parts, so that memory has a bound: rows are wide, a window takes two
 * kilobytes while it is added up, and an engine has 512 MiB. Parts follow from the rows alone.
 */
export const PART_MAX: PartMax = { events: 60_000, bytes: 48 << 20 }

/** How many events make a part, and how many bytes of their long columns: sorting takes as much again. */
export type PartMax = { events: number; bytes: number }

const EVERYTHING = ['true']

const LONG = EVENT_FIELDS.filter(({ kind }) => kind === 'words' || kind === 'json')

/** Bytes of a row's lists and documents; other columns are short. */
const LONG_BYTES = LONG.map(({ column, kind }) =>
  kind === 'json'
    ? `coalesce(strlen("${column}"), 0)`
    : `coalesce(list_sum(list_transform("${column}", lambda text: strlen(text))), 0)`
).join(' + ')

/** Conditions that split the rows of `relation` by tenant and time, in this order. */
export const eventParts = async (
  engine: Engine,
  relation: string,
  max: PartMax
): Promise<readonly string[]> => {
  const weight = `greatest(1, (${LONG_BYTES})::BIGINT * ${max.events} // ${max.bytes})`
  const cuts =
    await engine.rows(`SELECT DISTINCT first.tenant, epoch_us(first.time)::VARCHAR AS time_us
    FROM (SELECT min({'tenant': tenant, 'time': time}) AS first FROM (
      SELECT tenant, time, (sum(weight) OVER (ORDER BY tenant, time ROWS UNBOUNDED PRECEDING) - 1)::BIGINT
        // ${max.events} AS part
      FROM (SELECT tenant, time, ${weight} AS weight FROM ${relation}))
      WHERE part > 0 GROUP BY part)
    ORDER BY first.tenant, time_us::BIGINT`)
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
