import type { Finding } from '../../schemas/finding.ts'
import { numberFindings } from '../../schemas/incidents.ts'
import type { Commit } from '../../services/lake/commit.ts'
import { landTable } from '../../services/lake/land-table.ts'
import { rowSelect } from '../row-select.ts'
import type { ChargeDoors } from './ledger.ts'

export type Told = {
  /** State key of what was told before, as it was read and as it is with these findings. */
  key: string
  before: unknown
  after: unknown
  findings: readonly Finding[]
}

/**
 * Puts findings and what they follow from into one commit, unless somebody did meanwhile: so a
 * restart neither repeats nor loses one. @returns whether it was this process.
 */
export const tellFindings = async (doors: ChargeDoors, told: Told): Promise<boolean> => {
  const { key, before, after, findings } = told
  const version = await doors.lake.commit(async (now): Promise<Commit | null> => {
    if (JSON.stringify(now.state.get(key)) !== JSON.stringify(before)) return null
    const { rows, state } = numberFindings(now.state, findings)
    const sql = rowSelect('findings', rows)
    const file =
      rows.length === 0
        ? null
        : await landTable(doors, { table: 'findings', sql, time: 'detected_at' })
    return {
      kind: 'alert',
      generation: doors.generation,
      ranges: [],
      adds: file === null ? [] : [file],
      removes: [],
      state: { ...(rows.length === 0 ? {} : state), [key]: after }
    }
  })
  return version !== null
}
