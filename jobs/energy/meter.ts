import { ENERGY_MEASURED_COLUMNS, METER_READING_COLUMNS } from '../../schemas/energy-columns.ts'
import type { Column } from '../../schemas/tables.ts'
import type { Commit, Head, TableFile } from '../../services/lake/commit.ts'
import type { Engine } from '../../services/lake/engine.ts'
import { landTable } from '../../services/lake/land-table.ts'
import type { Lake } from '../../services/lake/lake.ts'
import { quoted } from '../../services/lake/parquet-writer.ts'
import { attach } from '../../services/lake/snapshot.ts'
import type { MeterReading } from '../../services/rates/energy/metered/meter-reading.ts'
import { dueDays, type DueDay } from './due-days.ts'
import { callsOf, DAY_MS, gatherCalls, moment, readingsOf } from './host-days.ts'
import {
  measureHostDay,
  SPLIT_VERSION,
  type LostEnergy,
  type MeasuredRow
} from './measured-rows.ts'
import { rowTable } from './row-table.ts'

/**
 * Takes meter readings in and splits them among calls: `meter_readings` and `energy_measured` in one
 * commit. `energy_measured` only grows: what is known later is written as the difference, so late
 * calls and late readings re-open their windows. The same file, or nothing new, changes nothing.
 */
export type MeterDoors = { engine: Engine; lake: Lake; generation: string }

export type MeterFile = { sha256: string; readings: readonly MeterReading[] }

export type MeterOptions = {
  files: readonly MeterFile[]
  /** Idle power of one GPU; kept for later runs. Without it the floor is learned. */
  idleWatts?: number | null
}

export type MeterResult = {
  readings: number
  days: number
  /** Rows of `energy_measured` that were written, and those that correct earlier ones. */
  rows: number
  corrections: number
  /** Hosts with meters whose idle floor is not known: they were never quiet. */
  withoutFloor: string[]
  /** Hosts with meters on which no call ran. */
  withoutCalls: string[]
  /** GPUs whose counters lost energy in the days that were split, by reset or jump. */
  lost: LostEnergy[]
}

const IMPORT_KEY = 'meter/next'
const IDLE_KEY = 'meter/idle_watts'
const FILE_PREFIX = 'meter/file/'

const NOTHING: MeterResult = {
  readings: 0,
  days: 0,
  rows: 0,
  corrections: 0,
  withoutFloor: [],
  withoutCalls: [],
  lost: []
}

const nextImport = (head: Head): number => Number(head.state.get(IMPORT_KEY) ?? 1)

/** @throws Failure E_FACTOR_TABLE where the unit of a counter can not be told: nothing is kept. */
export const meter = async (doors: MeterDoors, options: MeterOptions): Promise<MeterResult> => {
  for (;;) {
    const head = await doors.lake.head()
    // The clock asks in every installation, and most have no meters.
    if (options.files.length === 0 && !head.files.get('meter_readings')?.size) return NOTHING
    await attach(doors, head)
    const number = nextImport(head)
    const files = options.files.filter(({ sha256 }) => !head.state.has(`${FILE_PREFIX}${sha256}`))
    const readings = await stageReadings(doors.engine, files, number)
    const kept = head.state.get(IDLE_KEY)
    const idleWatts = options.idleWatts ?? (typeof kept === 'number' ? kept : null)
    const days = await dueDays(doors.engine, head, idleWatts)
    const split = await splitDays(doors.engine, days, idleWatts)
    const changes = await stageChanges(doors, days, number)
    const result = { readings, days: days.length, ...changes, ...split }
    const isNew = files.length > 0 || days.length > 0
    if (!isNew) return result
    const adds = await land(doors)
    const known = files.map(({ sha256 }) => [`${FILE_PREFIX}${sha256}`, number] as const)
    const signed = days.map(({ key, signature }) => [key, signature] as const)
    const state = {
      [IMPORT_KEY]: number + 1,
      ...(idleWatts === null ? {} : { [IDLE_KEY]: idleWatts }),
      ...Object.fromEntries([...known, ...signed])
    }
    const version = await doors.lake.commit((now): Commit | null => {
      if (nextImport(now) !== number) return null
      const { generation } = doors
      return { kind: 'meter', generation, ranges: [], adds, removes: [], state }
    })
    if (version !== null) return result
  }
}

const NAMES = METER_READING_COLUMNS.map(({ name }) => `"${name}"`).join(', ')
const SAME_READING = METER_READING_COLUMNS.filter(({ name }) => name !== 'import')
  .map(({ name }) => `o."${name}" IS NOT DISTINCT FROM n."${name}"`)
  .join(' AND ')

/** `new_readings`: what the lake does not hold yet; `readings_now`: all. Returns how many are new. */
const stageReadings = async (
  engine: Engine,
  files: readonly MeterFile[],
  number: number
): Promise<number> => {
  const rows = files.flatMap(({ readings }) =>
    readings.map((reading) => ({
      import: number,
      host: reading.host,
      gpu: reading.gpu,
      gpu_model: reading.gpuModel,
      time: new Date(reading.timeMs).toISOString(),
      kind: reading.kind,
      unit: reading.unit,
      value: reading.value
    }))
  )
  await rowTable(engine, 'given_readings', METER_READING_COLUMNS, rows)
  await engine.run(`CREATE OR REPLACE TEMP TABLE new_readings AS
      SELECT DISTINCT ${NAMES} FROM temp.given_readings n
      WHERE NOT EXISTS (FROM temp.meter_readings o WHERE ${SAME_READING})
      ORDER BY host, gpu, time, kind, unit, value;
    CREATE OR REPLACE TEMP VIEW readings_now AS
      SELECT ${NAMES} FROM temp.meter_readings UNION ALL SELECT ${NAMES} FROM temp.new_readings`)
  const [row] = await engine.rows('SELECT count(*)::DOUBLE AS n FROM temp.new_readings')
  return Number(row?.['n'])
}

/** Columns of the table `measured`: a row of `energy_measured`, with times in milliseconds. */
const MEASURED: readonly Column[] = [
  { name: 'host', type: 'VARCHAR', comment: '' },
  { name: 'window_ms', type: 'BIGINT', comment: '' },
  { name: 'line', type: 'VARCHAR', comment: '' },
  { name: 'key', type: 'INTEGER', comment: '' },
  { name: 'microjoules', type: 'BIGINT', comment: '' },
  { name: 'window_coverage', type: 'DOUBLE', comment: '' }
]

/** Fills `measured_now` with what the due days come to as things stand. */
const splitDays = async (engine: Engine, days: readonly DueDay[], idleWatts: number | null) => {
  const withoutFloor = new Set<string>()
  const withoutCalls = new Set<string>()
  const lost: LostEnergy[] = []
  await engine.run(`CREATE OR REPLACE TEMP TABLE measured_now (host VARCHAR, window_start TIMESTAMPTZ,
    line VARCHAR, tenant VARCHAR, source VARCHAR, id VARCHAR, microjoules BIGINT, window_coverage DOUBLE)`)
  for (const { dayMs } of days) {
    await gatherCalls(engine, dayMs)
    for (const host of await hostsOf(engine, dayMs)) {
      const calls = await callsOf(engine, host)
      const readings = await readingsOf(engine, host, dayMs)
      const day = { host, fromMs: dayMs, toMs: dayMs + DAY_MS, readings, calls }
      const measured = measureHostDay({ ...day, idleWattsPerGpu: idleWatts })
      if (measured.idleWattsPerGpu === null) withoutFloor.add(host)
      if (calls.length === 0) withoutCalls.add(host)
      lost.push(...measured.lost)
      await addMeasured(engine, measured.rows)
    }
  }
  return {
    withoutFloor: [...withoutFloor].sort(),
    withoutCalls: [...withoutCalls].sort(),
    lost: summed(lost)
  }
}

/** Days put together by GPU. */
const summed = (lost: readonly LostEnergy[]): LostEnergy[] => {
  const byGpu = new Map<string, LostEnergy>()
  for (const one of lost) {
    const key = JSON.stringify([one.host, one.gpu])
    const { spans = 0, seconds = 0 } = byGpu.get(key) ?? {}
    byGpu.set(key, { ...one, spans: spans + one.spans, seconds: seconds + one.seconds })
  }
  return [...byGpu.values()]
}

const hostsOf = async (engine: Engine, dayMs: number): Promise<string[]> => {
  const rows = await engine.rows(`SELECT DISTINCT host FROM temp.readings_now
    WHERE time >= ${moment(dayMs)} AND time < ${moment(dayMs + DAY_MS)} ORDER BY host`)
  return rows.map(({ host }) => String(host))
}

const addMeasured = async (engine: Engine, rows: readonly MeasuredRow[]): Promise<void> => {
  await rowTable(engine, 'measured', MEASURED, rows)
  await engine.run(`INSERT INTO temp.measured_now SELECT m.host, make_timestamptz(m.window_ms * 1000),
      m.line, c.tenant, c.source, c.id, m.microjoules, m.window_coverage
    FROM temp.measured m LEFT JOIN temp.host_calls c USING (key)`)
}

const KEYS = 'host, window_start, line, tenant, source, id'

/** `changes`: what has to be added to the rows so far of the due days to come to `measured_now`. */
const stageChanges = async (
  { engine, generation }: MeterDoors,
  days: readonly DueDay[],
  number: number
): Promise<{ rows: number; corrections: number }> => {
  const within = days.map(
    ({ dayMs }) => `(window_start >= ${moment(dayMs)} AND window_start < ${moment(dayMs + DAY_MS)})`
  )
  await engine.run(`CREATE OR REPLACE TEMP TABLE changes AS
    SELECT ${number}::BIGINT AS "import", ${KEYS}, sum(microjoules)::BIGINT AS microjoules,
      max(window_coverage) AS window_coverage, ${quoted(SPLIT_VERSION)} AS version,
      ${quoted(generation)} AS generation, bool_or(before) AS corrects
    FROM (SELECT ${KEYS}, microjoules, window_coverage, false AS before FROM temp.measured_now
      UNION ALL SELECT ${KEYS}, -microjoules, NULL, true FROM temp.energy_measured
      WHERE ${within.join(' OR ') || 'false'})
    GROUP BY ${KEYS} HAVING sum(microjoules) <> 0 ORDER BY ${KEYS}`)
  const [row] = await engine.rows(
    'SELECT count(*)::DOUBLE AS n, count_if(corrects)::DOUBLE AS corrections FROM temp.changes'
  )
  return { rows: Number(row?.['n']), corrections: Number(row?.['corrections']) }
}

const land = async (doors: MeterDoors): Promise<TableFile[]> => {
  const measured = ENERGY_MEASURED_COLUMNS.map(({ name }) => `"${name}"`).join(', ')
  const files = [
    await landTable(doors, {
      table: 'meter_readings',
      sql: `SELECT ${NAMES} FROM temp.new_readings ORDER BY host, gpu, time, kind, unit, value`,
      time: 'time'
    }),
    await landTable(doors, {
      table: 'energy_measured',
      sql: `SELECT ${measured} FROM temp.changes ORDER BY ${KEYS}`,
      time: 'window_start'
    })
  ]
  return files.filter((file) => file !== null)
}
