import { Failure } from '../../schemas/failure.ts'
import type { Finding } from '../../schemas/finding.ts'
import { prefixesSql } from '../../schemas/prefixes.ts'
import { WINDOW_COLUMNS, windowsSql } from '../../schemas/windows.ts'
import type { MemoryDatabase } from '../../services/lake/memory.ts'
import type { Settings } from '../../services/signals/define.ts'
import type { LoadedSignal } from '../../services/signals/load.ts'
import type { PriceBook } from '../../services/rates/prices/book.ts'
import { readEventRows, type BadLine } from './event-file.ts'
import { eventsSql, rowText } from './event-table.ts'
import { openDetection } from './fold.ts'
import type { Relations } from './source.ts'
import { openStretch, type Stretch } from './stretch.ts'

/** Runs the live fold over a file of events or of windows, touching no lake. */

export type BacktestOptions = {
  database: MemoryDatabase
  signals: readonly LoadedSignal[]
  settings?: Readonly<Record<string, Settings>>
  onBad?: (bad: BadLine) => void
  onFinding?: (finding: Finding) => void
}

export type BacktestResult = {
  events: number | null
  windows: number
  badLines: number
  fromMs: number | null
  toMs: number | null
  findings: Finding[]
}

const MINUTE_MS = 60_000
/** Rows read at once: about 100 MB of columns. */
const SLICE_ROWS = 400_000
/** Findings of a backtest come from no committed rows. */
const GENERATION = 'backtest'

export const backtestEvents = async (
  lines: AsyncIterable<string> | Iterable<string>,
  options: BacktestOptions & { book: PriceBook }
): Promise<BacktestResult> => {
  const { database, book } = options
  let events = 0
  let badLines = 0
  const onBad = (bad: BadLine): void => {
    badLines += 1
    options.onBad?.(bad)
  }
  await database.run('CREATE OR REPLACE TABLE lines (line VARCHAR)')
  await database.run(`CREATE OR REPLACE TABLE events AS ${eventsSql('lines')}`)
  for await (const rows of readEventRows(lines, onBad)) {
    events += rows.length
    await database.appendLines(
      'lines',
      rows.map((row) => rowText(row, book))
    )
    await database.run(`INSERT INTO events ${eventsSql('lines')}`)
    await database.run('DELETE FROM lines')
  }
  await database.run(`CREATE OR REPLACE TABLE windows AS ${windowsSql('events')}`)
  await database.run(`CREATE OR REPLACE TABLE prefixes AS ${prefixesSql('events')}`)
  const relations = { windows: 'main.windows', prefixes: 'main.prefixes', events: 'main.events' }
  return { ...(await foldAll(options, relations)), events, badLines }
}

export const backtestWindows = async (
  path: string,
  options: BacktestOptions
): Promise<BacktestResult> => {
  const file = `read_parquet('${path.replaceAll("'", "''")}')`
  const present = await columnsOf(options.database, file)
  const columns = WINDOW_COLUMNS.map(({ name, type }) =>
    present.has(name) ? `${name}::${type} AS ${name}` : `NULL::${type} AS ${name}`
  )
  for (const required of ['window_start', 'tenant']) {
    if (present.has(required)) continue
    throw new Failure('E_USAGE', `${path} has no column ${required}`, {
      hint: 'tally backtest --windows-schema prints the columns of a window file'
    })
  }
  await options.database.run(
    `CREATE OR REPLACE VIEW windows AS SELECT ${columns.join(', ')} FROM ${file}`
  )
  const stretch = openStretch(options.database, { windows: 'main.windows' }, options.signals)
  const folded = await foldAll(options, stretch.relations, stretch.hold)
  return { ...folded, events: null, badLines: 0 }
}

const columnsOf = async (database: MemoryDatabase, relation: string): Promise<Set<string>> => {
  const names = new Set<string>()
  const sql = `SELECT column_name FROM (DESCRIBE SELECT * FROM ${relation})`
  for await (const { columns } of database.columns(sql)) {
    for (const name of columns['column_name'] ?? []) names.add(String(name))
  }
  return names
}

type Folded = Pick<BacktestResult, 'windows' | 'fromMs' | 'toMs' | 'findings'>

const foldAll = async (
  options: BacktestOptions,
  relations: Relations,
  hold: Stretch['hold'] = async () => undefined
): Promise<Folded> => {
  const { database, signals } = options
  const extent = await readExtent(database)
  if (extent === null) return { windows: 0, fromMs: null, toMs: null, findings: [] }
  const { fromMs, toMs, rows } = extent
  const detection = await openDetection(database, relations, {
    signals,
    generation: GENERATION,
    ...(options.settings === undefined ? {} : { settings: options.settings })
  })
  const minutes = (toMs - fromMs) / MINUTE_MS
  const step = Math.max(1, Math.floor((minutes * SLICE_ROWS) / Math.max(1, rows))) * MINUTE_MS
  const findings: Finding[] = []
  for (let start = fromMs; start < toMs; start += step) {
    const end = Math.min(toMs, start + step)
    await hold(start, end)
    for (const finding of await detection.foldRange(start, end)) {
      findings.push(finding)
      options.onFinding?.(finding)
    }
  }
  return { windows: rows, fromMs, toMs, findings }
}

const readExtent = async (
  database: MemoryDatabase
): Promise<{ fromMs: number; toMs: number; rows: number } | null> => {
  const sql = `SELECT epoch_ms(min(window_start))::DOUBLE AS first,
    epoch_ms(max(window_start))::DOUBLE AS last, count(*)::DOUBLE AS n FROM main.windows`
  for await (const { columns } of database.columns(sql)) {
    const [first, last, rows] = ['first', 'last', 'n'].map((name) => Number(columns[name]?.[0]))
    if (!(rows! > 0)) return null
    const fromMs = Math.floor(first! / MINUTE_MS) * MINUTE_MS
    return { fromMs, toMs: Math.floor(last! / MINUTE_MS) * MINUTE_MS + MINUTE_MS, rows: rows! }
  }
  return null
}
