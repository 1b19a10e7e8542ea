import { EVENT_FIELDS } from '../../schemas/event-fields.ts'
import { prefixesSql } from '../../schemas/prefixes.ts'
import { POSITION_COLUMNS, type TableName } from '../../schemas/tables.ts'
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
import { energy } from './energy.ts'
import { CONFLICTS, KEPT, RANKED_SQL, keyHashSql } from './dedupe-sql.ts'

export type SettleDoors = { engine: Engine; lake: Lake; prices: PriceBook; generation: string }

/** How far apart two records of one key may lie and still be found: a month and some slack. */
const IDENTITY_DAYS = 34
const DAY_MS = 24 * HOUR_MS
const US_PER_MS = 1000

/** Tables with one file for each settled hour; `conflicts` only grows. */
const HOUR_TABLES: readonly TableName[] = [
  'events_settled',
  'windows_settled',
  'prefixes_settled',
  'event_ids'
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
  const before = settledHours(head).find((hour) => hour.startMs === startMs)
  const hour = await describe(doors, { head, startMs, before })
  const adds = await land(doors, startMs)
  const removes = HOUR_TABLES.flatMap((table) => filesOf(head, table, startMs))
  const again = await losers(engine, startMs)
  const version = await lake.commit((now): Commit | null => {
    if (isSettledSince(now, head, startMs)) return null
    const { startMs: _, ...stored } = hour
    const resettle = Object.fromEntries(again.map((other) => [resettleKey(other), true]))
    const state = { ...resettle, [hourKey(startMs)]: stored, [resettleKey(startMs)]: null }
    return { kind: 'settle', generation: doors.generation, ranges: [], adds, removes, state }
  })
  return version === null ? null : hour
}

/** Marks an hour that keeps a record of which an earlier one turned up in another hour. */
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

/** Fills `candidates`, `elsewhere` and `ranked`. */
const rank = async (engine: Engine, startMs: number): Promise<void> => {
  await engine.run(`CREATE OR REPLACE TEMP TABLE candidates AS SELECT * FROM temp.events
    WHERE time >= ${timestamp(startMs)} AND time < ${timestamp(startMs + HOUR_MS)}`)
  const low = timestamp(startMs - IDENTITY_DAYS * DAY_MS)
  const high = timestamp(startMs + IDENTITY_DAYS * DAY_MS)
  // The index finds candidates by hash; the events themselves then prove the identity.
  await engine.run(`CREATE OR REPLACE TEMP TABLE hits AS
    SELECT DISTINCT i.hour, i.key_hash FROM temp.event_ids i
    JOIN (SELECT DISTINCT ${keyHashSql('c')} AS key_hash FROM temp.candidates c) k USING (key_hash)
    WHERE i.hour >= ${low} AND i.hour < ${high} AND i.hour <> ${timestamp(startMs)}`)
  const columns = EVENT_FIELDS.map(({ column }) => `e."${column}"`).join(', ')
  await engine.run(`CREATE OR REPLACE TEMP TABLE elsewhere AS
    SELECT e.tenant, e.source, e.id, e.append_time, e."partition", e."offset",
      h.hour, (hash(${columns}) >> 1)::BIGINT AS content
    FROM temp.events_settled e JOIN temp.hits h
      ON h.hour = date_trunc('hour', e.time) AND h.key_hash = ${keyHashSql('e')}`)
  await engine.run(RANKED_SQL)
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
  at: { head: Head; startMs: number; before: SettledHour | undefined }
): Promise<SettledHour> => {
  const [counts] = await engine.rows(`SELECT count_if(${KEPT}) AS events,
    count_if(NOT (${KEPT})) AS dropped, count_if(${CONFLICTS}) AS conflicts FROM temp.ranked`)
  const conflicts = Number(counts?.['conflicts'])
  return {
    startMs: at.startMs,
    through: at.head.version,
    events: Number(counts?.['events']),
    duplicates: (at.before?.duplicates ?? 0) + Number(counts?.['dropped']) - conflicts,
    conflicts: (at.before?.conflicts ?? 0) + conflicts,
    generation,
    next: Object.fromEntries([...at.head.positions].map(([key, { next }]) => [key, next]))
  }
}

const land = async (doors: SettleDoors, startMs: number): Promise<TableFile[]> => {
  const { engine, generation, prices } = doors
  const columns = [
    ...POSITION_COLUMNS.map(({ name }) => name),
    ...EVENT_FIELDS.map((f) => f.column)
  ]
  await engine.run(
    `CREATE OR REPLACE TEMP VIEW columns AS SELECT rowid AS row_key, ${columns.map((name) => `"${name}"`).join(', ')}
     FROM temp.ranked WHERE ${KEPT}`
  )
  const cost = await pricing(engine, prices)
  const joules = await energy(engine, startMs)
  const enrichment = {
    expressions: { ...cost.expressions, ...joules.expressions },
    joins: [...cost.joins, ...joules.joins]
  }
  await engine.run(enrichedSql(generation, enrichment))
  const files: TableFile[] = []
  for (const selection of selections(generation, startMs)) {
    const file = await landTable(doors, selection)
    if (file !== null) files.push(file)
  }
  return files
}

const selections = (generation: string, startMs: number): Selection[] => {
  const stamped = (sql: string): string =>
    `SELECT *, ${quoted(generation)} AS generation FROM (${sql})`
  const hour = timestamp(startMs)
  return [
    {
      table: 'events_settled',
      sql: 'FROM enriched ORDER BY tenant, time, source, id',
      time: 'time'
    },
    { table: 'windows_settled', sql: stamped(windowsSql('enriched')), time: 'window_start' },
    { table: 'prefixes_settled', sql: stamped(prefixesSql('enriched')), time: 'window_start' },
    {
      table: 'event_ids',
      sql: `SELECT ${hour} AS hour, ${keyHashSql('e')} AS key_hash, append_time, "partition", "offset"
            FROM enriched e ORDER BY key_hash`,
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
