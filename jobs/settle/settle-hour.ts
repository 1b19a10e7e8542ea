import { EVENT_FIELDS } from '../../schemas/event-fields.ts'
import { prefixesSql } from '../../schemas/prefixes.ts'
import type { TableName } from '../../schemas/tables.ts'
import { windowsSql } from '../../schemas/windows.ts'
import { enrichedSql } from '../../services/consume/landing.ts'
import { pricing } from '../../services/consume/pricing.ts'
import type { Commit, Head, LiveFile, TableFile } from '../../services/lake/commit.ts'
import type { Engine } from '../../services/lake/engine.ts'
import { landTable, type Selection } from '../../services/lake/land-table.ts'
import type { Lake } from '../../services/lake/lake.ts'
import { quoted } from '../../services/lake/parquet-writer.ts'
import { hourKey, settledHours, type SettledHour } from '../../services/lake/settled-hours.ts'
import type { PriceBook } from '../../services/rates/prices/book.ts'
import { HOUR_MS } from './closed-hours.ts'
import { CONFLICTS, KEPT, KEPT_SQL, KEY_HASHES_SQL, RANKED_SQL, keyHashSql } from './dedupe-sql.ts'
import { energy } from './energy.ts'
import { RECORD_COLUMNS, attachOriginals } from './identity/family.ts'
import { identify, type Identity } from './identity/identity.ts'

export type SettleDoors = {
  engine: Engine
  lake: Lake
  prices: PriceBook
  generation: string
  /** What estimates the hour's energy; another one only to tell what it costs. */
  estimate?: typeof energy
}

/** How far apart two records of one key may lie and still be found: a month and some slack. */
const IDENTITY_DAYS = 34
const DAY_MS = 24 * HOUR_MS
const US_PER_MS = 1000

/** Tables with one file for each settled hour; `conflicts` only grows. */
const HOUR_TABLES: readonly TableName[] = [
  'events_settled',
  'windows_settled',
  'prefixes_settled',
  'event_ids',
  'call_ids',
  'witnesses',
  'disagreements'
]

/**
 * Settles one hour at a head whose views are attached to the engine: exact deduplication, windows
 * rebuilt from what remains, everything in one commit. Runs again when rows came late; the result
 * depends on the rows alone, not on how often or in which pieces they were settled.
 * @returns the hour, or null when another settler was first.
 */
export const settleHour = async (
  doors: SettleDoors,
  head: Head,
  startMs: number
): Promise<SettledHour | null> => {
  const { engine, lake } = doors
  await rank(engine, startMs)
  const identity = await identify(engine, timestamp(startMs))
  const before = settledHours(head).find((hour) => hour.startMs === startMs)
  const hour = await describe(doors, { head, startMs, before, identity })
  const adds = await land(doors, startMs, identity)
  const removes = HOUR_TABLES.flatMap((table) => filesOf(head, table, startMs))
  const again = [...(await losers(engine, startMs)), ...identity.resettle]
  const version = await lake.commit((now): Commit | null => {
    if (isSettledSince(now, head, startMs)) return null
    const { startMs: _, ...stored } = hour
    const resettle = Object.fromEntries(again.map((other) => [resettleKey(other), true]))
    const state = { ...resettle, [hourKey(startMs)]: stored, [resettleKey(startMs)]: null }
    return { kind: 'settle', generation: doors.generation, ranges: [], adds, removes, state }
  })
  return version === null ? null : hour
}

/** Marks an hour that a record in another hour changes: one it repeats, or another witness of its call. */
export const resettleKey = (startMs: number): string =>
  `resettle/${new Date(startMs).toISOString()}`

const isSettledSince = (now: Head, then: Head, startMs: number): boolean =>
  JSON.stringify(now.state.get(hourKey(startMs))) !==
  JSON.stringify(then.state.get(hourKey(startMs)))

const filesOf = (head: Head, table: TableName, startMs: number): LiveFile[] =>
  [...(head.files.get(table)?.values() ?? [])].filter(
    ({ timeUsMin }) =>
      timeUsMin !== null && Math.floor(timeUsMin / US_PER_MS / HOUR_MS) * HOUR_MS === startMs
  )

const timestamp = (timeMs: number): string => `make_timestamptz(${timeMs * US_PER_MS}::BIGINT)`

/** Fills `candidates`, `elsewhere`, `ranked` and `kept`. */
const rank = async (engine: Engine, startMs: number): Promise<void> => {
  await attachOriginals(engine)
  const record = RECORD_COLUMNS.map((name) => `"${name}"`).join(', ')
  const within = `time >= ${timestamp(startMs)} AND time < ${timestamp(startMs + HOUR_MS)}`
  await engine.run(`CREATE OR REPLACE TEMP TABLE candidates AS
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

const describe = async (
  { engine, generation }: SettleDoors,
  at: { head: Head; startMs: number; before: SettledHour | undefined; identity: Identity }
): Promise<SettledHour> => {
  const [counts] = await engine.rows(`SELECT (SELECT count(*) FROM temp.kept) AS events,
    count_if(NOT (${KEPT})) AS dropped, count_if(${CONFLICTS}) AS conflicts FROM temp.ranked`)
  const conflicts = Number(counts?.['conflicts'])
  return {
    startMs: at.startMs,
    through: at.head.version,
    events: Number(counts?.['events']) - at.identity.merged,
    duplicates: (at.before?.duplicates ?? 0) + Number(counts?.['dropped']) - conflicts,
    conflicts: (at.before?.conflicts ?? 0) + conflicts,
    merged: at.identity.merged,
    disagreements: at.identity.disagreements,
    generation,
    next: Object.fromEntries([...at.head.positions].map(([key, { next }]) => [key, next]))
  }
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
  const events = await landTable(doors, EVENTS)
  const files = [events]
  for (const selection of [
    ...aggregates(generation, events === null ? 'enriched' : landed(doors, events)),
    ...keyTables(startMs),
    ...identity.selections
  ]) {
    files.push(await landTable(doors, selection))
  }
  return files.filter((file) => file !== null)
}

const EVENTS: Selection = {
  table: 'events_settled',
  sql: 'FROM enriched ORDER BY tenant, time, source, id',
  time: 'time'
}

/**
 * The events as they were just written: in order of tenant and time, so that what is added up lies
 * close together, and with cost and energy worked out. Half the work of doing it from `enriched`.
 */
const landed = ({ lake }: SettleDoors, { table, path }: TableFile): string =>
  `read_parquet(${quoted(lake.doors.files.location(`${table}/${path}`))})`

const aggregates = (generation: string, events: string): Selection[] => {
  const stamped = (sql: string): string =>
    `SELECT *, ${quoted(generation)} AS generation FROM (${sql})`
  return [
    { table: 'windows_settled', sql: stamped(windowsSql(events)), time: 'window_start' },
    { table: 'prefixes_settled', sql: stamped(prefixesSql(events)), time: 'window_start' }
  ]
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
