import { Failure } from '../../schemas/failure.ts'
import type { Head, LiveFile } from '../lake/commit.ts'
import type { Engine, Row } from '../lake/engine.ts'
import type { Lake } from '../lake/lake.ts'
import type { ListChunk } from '../lake/list-columns.ts'
import type { Access } from './access.ts'
import type { Cube } from './cube/cube.ts'
import type { Range } from './range.ts'
import type { QueryResult, QueryRunner, UserQuery } from './sql/run-query.ts'

/** What a route works with while it answers: the lake at one version, for one who asks. */
export type Desk = {
  version: number
  /** How far the events have come, milliseconds since the epoch; null before the first one. */
  dataUntilMs: number | null
  nowMs: number
  access: Access
  head: Head
  /** Monthly budgets by tenant, decimal strings in USD. */
  budgetsUsd: Readonly<Record<string, string>>
  /** Rows of a query over the engine's bound views. */
  rows: (sql: string) => Promise<Row[]>
  /**
   * Rows of a query over `windows`, which stands for the cube in a range, bound to who asks. The
   * text is what people may run themselves with `tally sql`.
   * @param stepS seconds of the steps of time that the text groups by; null = it groups by none.
   *   Without it, the text sees every row of the range's grain.
   */
  windows: (range: Range, sql: string, stepS?: number | null) => Promise<Row[]>
  /** As `windows`, for a text whose result is read by `readLists`. */
  windowLists: (range: Range, sql: string, stepS: number | null) => AsyncIterable<ListChunk>
  /** As `rows`, with values that JSON can hold: times as RFC 3339, large integers as strings. */
  table: (sql: string) => ReturnType<Engine['table']>
  /** Runs a query from outside. @throws Failure E_SQL, E_QUERY_LIMIT */
  query: (query: UserQuery) => Promise<QueryResult>
  /** Location of a live file. */
  location: (file: LiveFile) => string
}

export type DeskDoors = {
  engine: Engine
  lake: Lake
  nowMs: number
  budgetsUsd: Readonly<Record<string, string>>
  runner: QueryRunner | null
  cube: Cube | null
}

export const openDesk = (doors: DeskDoors, head: Head, access: Access): Desk => {
  const { engine, lake, nowMs, budgetsUsd, runner, cube } = doors
  const rows = (sql: string): Promise<Row[]> => ours(() => engine.rows(sql))
  const overWindows = async (range: Range, sql: string, stepS?: number | null): Promise<string> => {
    if (cube === null) throw new Failure('E_INTERNAL', 'the cube is kept elsewhere')
    const always = access.tenant === null ? [] : ['tenant']
    const cells = await cube.relation({ sql, range, always, stepS })
    // Materialized, all of its eighty columns would be made for each question.
    return `WITH windows AS NOT MATERIALIZED (${cells})\n${sql}`
  }
  const location = ({ table, path }: LiveFile): string =>
    lake.doors.files.location(`${table}/${path}`)
  const desk: Desk = {
    version: head.version,
    dataUntilMs: dataUntil(head),
    nowMs,
    access,
    head,
    budgetsUsd,
    rows,
    windows: async (range, sql, stepS) => rows(await overWindows(range, sql, stepS)),
    windowLists: async function* (range, sql, stepS) {
      try {
        yield* engine.lists(await overWindows(range, sql, stepS))
      } catch (cause) {
        throw asOurs(cause)
      }
    },
    table: (sql) => ours(() => engine.table(sql)),
    query: (query) => {
      if (runner === null) throw new Failure('E_INTERNAL', 'queries are answered elsewhere')
      return runner.run(desk, query)
    },
    location
  }
  return desk
}

/** The text of a route's query is ours, and so is the fault when it fails. */
const ours = async <Value>(work: () => Promise<Value>): Promise<Value> => {
  try {
    return await work()
  } catch (cause) {
    throw asOurs(cause)
  }
}

const asOurs = (cause: unknown): unknown =>
  cause instanceof Failure && cause.code === 'E_SQL'
    ? new Failure('E_INTERNAL', `a query of the service failed: ${cause.message}`, { cause })
    : cause

const dataUntil = (head: Head): number | null => {
  const marks = [...head.positions.values()].flatMap(({ watermarkMs }) => watermarkMs ?? [])
  return marks.length === 0 ? null : Math.max(...marks)
}
