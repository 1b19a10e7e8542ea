import { Counter, Gauge, type Registry } from 'prom-client'
import type { TableName } from '../../../schemas/tables.ts'
import type { Calibration } from '../../../jobs/detect/calibrate.ts'
import type { Head } from '../../lake/commit.ts'

/** Numbers about the lake and the jobs on it; names and help texts are their documentation. */
export type JobsMetrics = {
  looked: (head: Head) => void
  found: (findings: number) => void
  /** Events of the last day that no price was known for. */
  unpriced: Gauge
  calibrated: (calibrations: readonly Calibration[]) => void
}

/** Tables of which every row is something that a person should know of. */
const WATCHED_TABLES = ['quarantine', 'gaps', 'conflicts'] as const satisfies readonly TableName[]

export const jobsMetrics = (registry: Registry): JobsMetrics => {
  const registers = [registry]
  const rows = new Gauge({
    name: 'tally_lake_rows',
    help: 'Rows of the tables of faults: quarantine, gaps, conflicts.',
    labelNames: ['table'],
    registers
  })
  const version = new Gauge({
    name: 'tally_lake_version',
    help: 'Version of the lake that was read last.',
    registers
  })
  const findings = new Counter({
    name: 'tally_findings_total',
    help: 'Findings of this process since it started.',
    registers
  })
  const falseFindings = new Gauge({
    name: 'tally_false_findings_per_tenant_month',
    help: 'Findings on the last 30 days with time permuted: seen, and promised by settings.',
    labelNames: ['signal', 'kind'],
    registers
  })
  return {
    calibrated: (calibrations) => {
      for (const { signal, perTenantMonth, nominal } of calibrations) {
        falseFindings.set({ signal, kind: 'seen' }, perTenantMonth)
        if (nominal !== null) falseFindings.set({ signal, kind: 'promised' }, nominal)
      }
    },
    looked: (head) => {
      version.set(head.version)
      for (const table of WATCHED_TABLES) rows.set({ table }, rowsOf(head, table))
    },
    found: (count) => findings.inc(count),
    unpriced: new Gauge({
      name: 'tally_unpriced_events',
      help: 'Events of the last day that no price was known for.',
      registers
    })
  }
}

const rowsOf = (head: Head, table: TableName): number =>
  [...(head.files.get(table)?.values() ?? [])].reduce((sum, file) => sum + file.rows, 0)
