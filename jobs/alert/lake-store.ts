import { Finding } from '../../schemas/finding.ts'
import { IncidentAction, Notice } from '../../schemas/incidents.ts'
import type { TableName } from '../../schemas/tables.ts'
import type { Head, TableFile } from '../../services/lake/commit.ts'
import type { Engine, Row } from '../../services/lake/engine.ts'
import type { Lake } from '../../services/lake/lake.ts'
import { landTable } from '../../services/lake/land-table.ts'
import { rowSelect, type RowValue } from '../row-select.ts'
import type { Entry } from './incidents/fold.ts'
import type { Coverage } from './incidents/no-data.ts'
import { openTail, type Tail } from './table-tail.ts'
import type { AlertCommit, AlertStore } from './store.ts'

export type LakeStoreOptions = {
  lake: Lake
  engine: Engine
  generation: string
  /** Event time up to which detection has folded, from the lake's state; null = not known. */
  watermarkMs: (state: ReadonlyMap<string, unknown>) => number | null
  /** Who has sent data until when. */
  coverage: () => Promise<Coverage[]>
}

/** The alert job's store on the lake: rows in tables, places in the state, one commit for both. */
export const openLakeStore = (options: LakeStoreOptions): AlertStore => {
  const { lake, engine } = options
  const location = (table: TableName) => (path: string) =>
    lake.doors.files.location(`${table}/${path}`)
  const tail = (table: TableName, key: string): Tail =>
    openTail(engine, { key, location: location(table) })
  const tails = {
    findings: tail('findings', 'sequence'),
    actions: tail('incident_actions', 'sequence'),
    outbox: tail('outbox', 'number')
  }
  const files = (head: Head, table: TableName): string[] => [
    ...(head.files.get(table)?.keys() ?? [])
  ]
  return {
    state: async () => (await lake.head()).state,
    entries: async (after, limit) => {
      const head = await lake.head()
      const findings = await tails.findings.rows(files(head, 'findings'), { after, limit })
      const actions = await tails.actions.rows(files(head, 'incident_actions'), { after, limit })
      const entries = [...findings.map(readFindingEntry), ...actions.map(readActionEntry)]
      return entries.sort((a, b) => a.sequence - b.sequence).slice(0, limit)
    },
    notices: async (after, limit) => {
      const head = await lake.head()
      return (await tails.outbox.rows(files(head, 'outbox'), { after, limit })).map(readNotice)
    },
    findings: async (sequences) => {
      const head = await lake.head()
      const rows = await tails.findings.pick(files(head, 'findings'), sequences)
      return new Map(rows.map(readFindingEntry).map(({ sequence, finding }) => [sequence, finding]))
    },
    coverage: options.coverage,
    watermarkMs: async () => options.watermarkMs((await lake.head()).state),
    commit: async (build) =>
      (await lake.commit(async (head) => {
        const commit = build(head.state)
        if (commit === null) return null
        const adds = await landRows(options, commit)
        const { generation } = options
        return { kind: 'alert', generation, ranges: [], adds, removes: [], state: commit.state }
      })) !== null
  }
}

const landRows = async (
  { lake, engine }: LakeStoreOptions,
  { findings = [], actions = [], notices = [] }: AlertCommit
): Promise<TableFile[]> => {
  const adds: TableFile[] = []
  const land = async (
    table: TableName,
    rows: readonly Readonly<Record<string, RowValue>>[],
    time: string
  ): Promise<void> => {
    if (rows.length === 0) return
    const file = await landTable({ engine, lake }, { table, sql: rowSelect(table, rows), time })
    if (file !== null) adds.push(file)
  }
  await land('findings', findings, 'detected_at')
  await land('incident_actions', actions, 'at')
  await land('outbox', notices, 'at')
  return adds
}

const readFindingEntry = (row: Row): { sequence: number; finding: Finding } => ({
  sequence: Number(row['sequence']),
  finding: Finding.parse(JSON.parse(String(row['finding'])))
})

const readActionEntry = ({ sequence, ...row }: Row): Entry => ({
  sequence: Number(sequence),
  action: IncidentAction.parse({ ...row, at: isoTime(row['at']), until: isoTime(row['until']) })
})

const readNotice = (row: Row): Notice =>
  Notice.parse({
    ...row,
    number: Number(row['number']),
    sequence: Number(row['sequence']),
    at: isoTime(row['at'])
  })

const isoTime = (value: unknown): string | null =>
  value instanceof Date ? value.toISOString() : null
