import type { ColumnData } from '../lake/columns.ts'
import type { Engine } from '../lake/engine.ts'
import {
  CACHED,
  DEPLOYMENT_COLUMNS,
  END_MS,
  INTER_TOKEN_MS,
  IS_SERVED,
  OUT,
  START_MS,
  UNCACHED
} from '../rates/energy/call-sql.ts'
import { deploymentFigures, type DeploymentFigures } from '../rates/energy/deployment-figures.ts'
import type { CallColumns, Doubles, EnergyColumns } from '../rates/energy/estimate-block.ts'
import { overlapConcurrency } from '../rates/energy/overlap.ts'
import { doubleColumn, energyColumns } from './energy-columns.ts'

/**
 * The calls of a relation as columns for `estimateColumns`: what their deployments have in common is
 * worked out once, and only numbers leave the engine. Concurrency that is not told comes from
 * overlap where the host is known: calls of one model on one host share its batch.
 */
export type ServedCalls = CallColumns & {
  /** The relation's `row_key`. */
  rowKey: Doubles
}

export type ServedOptions = {
  /** Year of the serving software, which is that of the calls. */
  engineYear: number
  /** Where the calls that are seen end: what runs on is judged by its part before. */
  untilMs: number | null
}

/** @param relation events with a `row_key`, as it is named in FROM. */
export const readServedCalls = async (
  engine: Engine,
  relation: string,
  { engineYear, untilMs }: ServedOptions
): Promise<ServedCalls> => {
  const placements = await findPlacements(engine, relation, engineYear)
  const rows = placements.reduce((sum, { calls }) => sum + calls, 0)
  const deployments = placements.map(({ figures }) => figures)
  if (placements.every(({ untold }) => untold === 0)) {
    const calls = await readCalls(engine, relation, { names: CALL_COLUMNS, rows })
    return { ...calls, deployments }
  }
  const names = { ...CALL_COLUMNS, ...TIME_COLUMNS }
  const calls = await readCalls(engine, relation, { names, rows })
  fillConcurrency(calls, placements, untilMs)
  return { ...calls, deployments }
}

/** Where calls ran: a deployment on a host. */
type Placement = {
  figures: DeploymentFigures
  /** Number of host and model; NaN = the host is not known. */
  replica: number
  calls: number
  /** Calls whose concurrency only their overlap can tell. */
  untold: number
}

const PLACEMENT_KEYS = ['host', ...DEPLOYMENT_COLUMNS] as const

/** Makes the table `placements`, numbered by `placement`. */
const findPlacements = async (
  engine: Engine,
  relation: string,
  engineYear: number
): Promise<Placement[]> => {
  const keys = PLACEMENT_KEYS.join(', ')
  await engine.run(`CREATE OR REPLACE TEMP TABLE placements AS
    SELECT row_number() OVER (ORDER BY ${keys}) - 1 AS placement, * FROM (
      SELECT ${keys}, count(*) AS calls, count_if(duration_ms IS NOT NULL AND concurrency IS NULL) AS timed
      FROM ${relation} WHERE ${IS_SERVED} GROUP BY ${keys})`)
  const found = await engine.rows('FROM temp.placements ORDER BY placement')
  const known = new Map<string, DeploymentFigures>()
  const replicas = new Map<string, number>()
  return found.map((row) => {
    const text = (name: string): string | null => row[name] as string | null
    const key = JSON.stringify(DEPLOYMENT_COLUMNS.map((name) => row[name]))
    const figures =
      known.get(key) ??
      deploymentFigures({
        model: text('response_model'),
        gpu: text('gpu'),
        precision: text('precision'),
        gpuCount: row['n_gpus'] as number | null,
        engineYear
      })
    known.set(key, figures)
    const isPlaced = row['host'] !== null
    const name = JSON.stringify([row['host'], row['response_model']])
    const replica = replicas.get(name) ?? replicas.size
    replicas.set(name, replica)
    return {
      figures,
      replica: isPlaced ? replica : Number.NaN,
      calls: Number(row['calls']),
      untold: isPlaced ? Number(row['timed']) : 0
    }
  })
}

const CALL_COLUMNS = {
  rowKey: 'row_key',
  deployment: 'placement',
  uncached: UNCACHED,
  cached: CACHED,
  out: OUT,
  concurrency: 'concurrency',
  interTokenMs: INTER_TOKEN_MS
} as const
/** When calls ran: read only where overlap has to tell the concurrency of one. */
const TIME_COLUMNS = {
  startMs: START_MS,
  endMs: `CASE WHEN duration_ms IS NOT NULL THEN ${END_MS} END`
} as const

type Columns<Names> = Record<keyof Names, Doubles>

/** @param rows how many calls the relation has. */
const readCalls = async <Names extends Record<string, string>>(
  engine: Engine,
  relation: string,
  { names, rows }: { names: Names; rows: number }
): Promise<Columns<Names>> => {
  const select = Object.values(names).map((sql) => `(${sql})::DOUBLE`)
  const joined = PLACEMENT_KEYS.map((name) => `c.${name} IS NOT DISTINCT FROM p.${name}`)
  const columns = Object.keys(names).map(() => new Float64Array(rows))
  await engine.doubles(
    `SELECT ${select.join(', ')} FROM (FROM ${relation} WHERE ${IS_SERVED}) c
      JOIN (SELECT placement, ${PLACEMENT_KEYS.join(', ')} FROM temp.placements) p
        ON ${joined.join(' AND ')}`,
    columns
  )
  return Object.fromEntries(
    Object.keys(names).map((name, index) => [name, columns[index]])
  ) as Columns<Names>
}

type TimedColumns = Columns<typeof CALL_COLUMNS & typeof TIME_COLUMNS>

const fillConcurrency = (
  { deployment, startMs, endMs, concurrency }: TimedColumns,
  placements: readonly Placement[],
  untilMs: number | null
): void => {
  const replica = new Float64Array(deployment.length)
  for (let row = 0; row < replica.length; row += 1) {
    replica[row] = placements[deployment[row]!]!.replica
    if (untilMs !== null && endMs[row]! > untilMs) endMs[row] = Math.max(untilMs, startMs[row]!)
  }
  const overlap = overlapConcurrency({ replica, startMs, endMs })
  for (let row = 0; row < replica.length; row += 1) {
    if (Number.isNaN(concurrency[row]!)) concurrency[row] = overlap[row]!
  }
}

/**
 * Loads estimates as the table `name`: `row_key`, `energy_low_uj`, `energy_mid_uj`, `energy_high_uj`,
 * `energy_tier` and other columns of numbers; NaN becomes null.
 */
export const loadEnergy = async (
  engine: Engine,
  name: string,
  energy: EnergyColumns & {
    rowKey: Doubles
    others?: Readonly<Record<string, Doubles>>
  }
): Promise<void> => {
  const { rowKey, others = {} } = energy
  const columns: Record<string, ColumnData> = {
    row_key: { type: 'INTEGER', values: new Int32Array(rowKey), valid: null },
    ...energyColumns(energy),
    ...Object.fromEntries(
      Object.entries(others).map(([key, values]) => [key, doubleColumn(values)])
    )
  }
  const segment = { rows: rowKey.length, columns: Object.values(columns) }
  await engine.load(name, { names: Object.keys(columns), segments: [segment] })
}
