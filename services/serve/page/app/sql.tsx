import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError, ROWS_SHOWN, runQuery, type Problem } from './api.ts'
import { NONE } from './format.ts'
import { Table } from './parts.tsx'
import { Refusal } from './refusal.tsx'

type Rows = { columns: { name: string; type: string }[]; rows: Row[]; truncated: boolean }
type Row = Record<string, unknown>

/** Where an answer gives more than one query, each of them runs by itself. */
const BETWEEN = /;\s*\n\n/

/** The queries that stand for what is shown: to read, to run, and to take their rows along. */
export const Sql = (props: { sql: string }) => (
  <details>
    <summary>Show SQL</summary>
    {props.sql.split(BETWEEN).map((query) => (
      <Query key={query} sql={query} />
    ))}
    <p class="soft">
      <code>tally sql</code> runs it too, and <code>POST /v1/sql</code>.
    </p>
  </details>
)

const FILES = { csv: 'CSV', parquet: 'Parquet' } as const

const Query = ({ sql }: { sql: string }) => {
  const [isRunning, setRunning] = useState(false)
  const [found, setFound] = useState<Rows | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)
  const aborting = useRef(new AbortController())
  useEffect(() => () => aborting.current.abort(), [])
  const run = async (format: string, take: (response: Response) => Promise<void>) => {
    setRunning(true)
    setProblem(null)
    try {
      await take(await runQuery(sql, format, aborting.current.signal))
    } catch (error) {
      if (error instanceof ApiError) setProblem(error.problem)
      else if (!aborting.current.signal.aborted) throw error
    }
    setRunning(false)
  }
  const show = async (response: Response): Promise<void> =>
    setFound((await response.json()) as Rows)
  const save = (format: string) => async (response: Response) =>
    saveFile(await response.blob(), `query.${format}`)
  return (
    <>
      <pre tabIndex={0}>{sql}</pre>
      <p>
        <button type="button" disabled={isRunning} onClick={() => void run('json', show)}>
          Run
        </button>{' '}
        {Object.entries(FILES).map(([format, name]) => (
          <>
            <button
              type="button"
              disabled={isRunning}
              onClick={() => void run(format, save(format))}
            >
              {name}
            </button>{' '}
          </>
        ))}
        {isRunning && (
          <span role="status">
            <progress aria-label="The query runs" />
          </span>
        )}
      </p>
      {problem !== null && <Refusal problem={problem} />}
      {found !== null && <Found {...found} />}
    </>
  )
}

const Found = ({ columns, rows, truncated }: Rows) => (
  <>
    <Table
      title="Rows of the query"
      rows={rows}
      none="No rows."
      columns={columns.map(({ name, type }) => ({
        title: name,
        isNumber: /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL.*)$/.test(type),
        cell: (row: Row) => cellOf(row[name])
      }))}
    />
    {truncated && <p class="soft">The first {ROWS_SHOWN} rows; files have all.</p>}
  </>
)

const cellOf = (value: unknown): string => {
  if (value === null || value === undefined) return NONE
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const saveFile = (content: Blob, name: string): void => {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(content)
  link.download = name
  link.click()
  URL.revokeObjectURL(link.href)
}
