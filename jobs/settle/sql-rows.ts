import { EVENT_FIELDS } from '../../schemas/event-fields.ts'
import { prefixesSql } from '../../schemas/prefixes.ts'
import { windowsSql } from '../../schemas/windows.ts'
import { enrichedSql } from '../../services/consume/landing.ts'
import { pricing } from '../../services/consume/pricing.ts'
import type { Head, TableFile } from '../../services/lake/commit.ts'
import type { Engine } from '../../services/lake/engine.ts'
import { landTable, type Selection } from '../../services/lake/land-table.ts'
import { quoted } from '../../services/lake/parquet-writer.ts'
import { attach } from '../../services/lake/snapshot.ts'
import { HOUR_MS } from './closed-hours.ts'
import { CONFLICTS, KEPT, KEPT_SQL, KEY_HASHES_SQL, RANKED_SQL, keyHashSql } from './dedupe-sql.ts'
import { energy } from './energy.ts'
import { RECORD_COLUMNS, attachOriginals } from './identity/family.ts'
import { identify, type Identity } from './identity/identity.ts'
import { PART_MAX, eventParts, minuteParts } from './parts.ts'
import type { SettleDoors, SettleRows, WorkedOut } from './settle-hour.ts'

/** Settling's arithmetic over rows, by SQL over the views of one version of the lake. */

/** How far apart two records of one key may lie and still be found: a month and some slack. */
const IDENTITY_DAYS = 34
const DAY_MS = 24 * HOUR_MS
const US_PER_MS = 1000

export const sqlRows = (doors: SettleDoors): SettleRows => ({
  provisionalHours: (head, untilMs) => provisionalHours(doors, head, untilMs),
  workOut: (_head, startMs) => workOut(doors, startMs),
  openVersions: (head) => openVersions(doors, head)
})

const provisionalHours = async (
  doors: SettleDoors,
  head: Head,
  untilMs: number
): Promise<number[]> => {
  await attach(doors, head)
  const rows = await doors.engine.rows(`SELECT DISTINCT epoch_ms(date_trunc('hour', time)) AS hour
    FROM temp.events WHERE provisional AND time < ${timestamp(untilMs)}`)
  return rows.map(({ hour }) => Number(hour))
}

const openVersions = async (doors: SettleDoors, head: Head): Promise<Set<number>> => {
  await attach(doors, head)
  // A version's three raw files hold the same events, so its hours are those of its events.
  const rows = await doors.engine.rows(`SELECT DISTINCT f.version FROM temp.file_versions f
    JOIN temp.events_raw r ON r.filename = f.filename
    LEFT JOIN temp.hours h ON h.hour = date_trunc('hour', r.time)
    WHERE h.through IS NULL OR f.version > h.through`)
  return new Set(rows.map(({ version }) => Number(version)))
}

/** The views of the head are attached already: its hours were just looked for. */
const workOut = async (doors: SettleDoors, startMs: number): Promise<WorkedOut> => {
  const { engine } = doors
  await rank(engine, startMs)
  const identity = await identify(engine, timestamp(startMs))
  const [counts] = await engine.rows(`SELECT (SELECT count(*) FROM temp.kept) AS events,
    count_if(NOT (${KEPT})) AS dropped, count_if(${CONFLICTS}) AS conflicts FROM temp.ranked`)
  const { merged, disagreements } = identity
  return {
    counts: { events: Number(counts?.['events']) - merged, merged, disagreements },
    dropped: Number(counts?.['dropped']),
    conflicting: Number(counts?.['conflicts']),
    adds: await land(doors, startMs, identity),
    again: [...(await losers(engine, startMs)), ...identity.resettle]
  }
}

const timestamp = (timeMs: number): string => `make_timestamptz(${timeMs * US_PER_MS}::BIGINT)`

/** Fills `candidates`, `elsewhere`, `ranked` and `kept`. */
const rank = async (engine: Engine, startMs: number): Promise<void> => {
  await attachOriginals(engine)
  const record = RECORD_COLUMNS.map((name) => `"${name}"`).join(', ')
  const within = `time >= ${timestamp(startMs)} AND time < ${timestamp(startMs + HOUR_MS)}`
  await engine.copy(`CREATE OR REPLACE TEMP TABLE candidates AS
    SELECT ${record} FROM temp.originals WHERE ${within}
    UNION ALL SELECT ${record} FROM temp.events WHERE provisional AND ${within}`)
  await engine.run(KEY_HASHES_SQL)
  const low = timestamp(startMs - IDENTITY_DAYS * DAY_MS)
  const high = timestamp(startMs + IDENTITY_DAYS * DAY_MS)
  // The index finds candidates by hash; the events themselves then prove the identity.
  await engine.run(`CREATE OR REPLACE TEMP TABLE hits AS
    SELECT DISTINCT i.hour, i.key_hash FROM temp.event_ids i
    JOIN temp.key_hashes k USING (key_hash)
    WHERE i.hour >= ${low} AND i.hour < ${high} AND i.hour <> ${timestamp(startMs)}`)
  const columns = EVENT_FIELDS.map(({ column }) => `e."${column}"`).join(', ')
  await engine.run(`CREATE OR REPLACE TEMP TABLE elsewhere AS
    SELECT e.tenant, e.source, e.id, e.append_time, e."partition", e."offset",
      h.hour, (hash(${columns}) >> 1)::BIGINT AS content
    FROM temp.originals e JOIN temp.hits h
      ON h.hour = date_trunc('hour', e.time) AND h.key_hash = ${keyHashSql('e')}`)
  await engine.run(`${RANKED_SQL}; ${KEPT_SQL}`)
}

/** Hours that keep a record later than one found here: they have to be settled again. */
const losers = async (engine: Engine, startMs: number): Promise<number[]> => {
  const rows = await engine.rows(`SELECT DISTINCT epoch_ms(x.hour) AS hour FROM temp.elsewhere x
    JOIN temp.ranked r ON r.tenant = x.tenant AND r.id = x.id
      AND coalesce(r.source, '') = coalesce(x.source, '')
    WHERE ${KEPT} AND (r.append_time, r."partition", r."offset") < (x.append_time, x."partition", x."offset")`)
  return rows.map(({ hour }) => Number(hour)).filter((hour) => hour !== startMs)
}

const land = async (
  doors: SettleDoors,
  startMs: number,
  identity: Identity
): Promise<TableFile[]> => {
  const { engine, generation, prices } = doors
  const cost = await pricing(engine, prices)
  const joules = await (doors.estimate ?? energy)(engine, startMs)
  const enrichment = {
    expressions: { ...cost.expressions, ...joules.expressions, witnesses: 'e.witnesses' },
    joins: [...cost.joins, ...joules.joins]
  }
  await engine.run(enrichedSql(generation, enrichment))
  const events = await landEach(doors, await eventSelections(doors))
  const relation = events.length === 0 ? 'enriched' : landed(doors, events)
  return [
    ...events,
    ...(await landEach(doors, await aggregates(doors, relation))),
    ...(await landEach(doors, [...keyTables(startMs), ...identity.selections]))
  ]
}

const landEach = async (
  doors: SettleDoors,
  selections: readonly Selection[]
): Promise<TableFile[]> => {
  const files: TableFile[] = []
  for (const selection of selections) {
    const file = await landTable(doors, selection)
    if (file !== null) files.push(file)
  }
  return files
}

const eventSelections = async ({
  engine,
  partMax = PART_MAX
}: SettleDoors): Promise<Selection[]> => {
  const parts = await eventParts(engine, 'temp.columns', partMax)
  return parts.map((part) => ({
    table: 'events_settled',
    sql: `FROM enriched WHERE ${part} ORDER BY tenant, time, source, id`,
    time: 'time'
  }))
}

/**
 * The events as they were just written: in order of tenant and time, so that what is added up lies
 * close together, and with cost and energy worked out. Half the work of doing it from `enriched`.
 */
const landed = ({ lake }: SettleDoors, files: readonly TableFile[]): string => {
  const paths = files.map(({ table, path }) => lake.doors.files.location(`${table}/${path}`))
  return `read_parquet([${paths.map(quoted).join(', ')}])`
}

const aggregates = async (
  { engine, generation, partMax = PART_MAX }: SettleDoors,
  events: string
): Promise<Selection[]> => {
  const stamped = (sql: string): string =>
    `SELECT *, ${quoted(generation)} AS generation FROM (${sql})`
  const parts = await minuteParts(engine, events, partMax.events)
  return parts.flatMap((part): Selection[] => {
    const within = `(FROM ${events} WHERE ${part})`
    return [
      { table: 'windows_settled', sql: stamped(windowsSql(within)), time: 'window_start' },
      { table: 'prefixes_settled', sql: stamped(prefixesSql(within)), time: 'window_start' }
    ]
  })
}

const keyTables = (startMs: number): Selection[] => {
  const hour = timestamp(startMs)
  return [
    {
      table: 'event_ids',
      sql: `SELECT ${hour} AS hour, key_hash, append_time, "partition", "offset"
            FROM temp.kept JOIN temp.key_hashes USING (r) ORDER BY key_hash`,
      time: 'hour'
    },
    {
      table: 'conflicts',
      sql: `SELECT ${hour} AS hour, tenant, source, id,
              coalesce(earlier_content, kept_content)::BIGINT AS kept_content_hash,
              content AS dropped_content_hash, topic, "partition", "offset"
            FROM temp.ranked WHERE ${CONFLICTS} ORDER BY tenant, source, id, append_time, "partition", "offset"`,
      time: null
    }
  ]
}
