import { Finding } from '../../schemas/finding.ts'
import type { Engine } from '../../services/lake/engine.ts'
import type { Lake } from '../../services/lake/lake.ts'
import { attach } from '../../services/lake/snapshot.ts'

export type FindingFilter = {
  /** Only what fires now: the latest finding of each incident, when that one is firing. */
  open: boolean
  signal?: string | undefined
  tenant?: string | undefined
}

/** A finding with its place in the order of all. */
export type FindingView = Finding & { sequence: number }

/** What was found, oldest first. */
export const readFindings = async (
  doors: { engine: Engine; lake: Lake },
  { open, signal, tenant }: FindingFilter
): Promise<FindingView[]> => {
  await attach(doors, await doors.lake.head())
  const newest = 'QUALIFY row_number() OVER (PARTITION BY fingerprint ORDER BY sequence DESC) = 1'
  const conditions = [
    ...(open ? ["status = 'firing'"] : []),
    ...(signal === undefined ? [] : [`signal = ${quoted(signal)}`]),
    ...(tenant === undefined ? [] : [`tenant = ${quoted(tenant)}`])
  ]
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
  const rows = await doors.engine.rows(
    `SELECT sequence::DOUBLE AS sequence, finding
     FROM (SELECT * FROM findings ${open ? newest : ''}) ${where} ORDER BY sequence`
  )
  return rows.map(({ sequence, finding }) => ({
    sequence: Number(sequence),
    ...Finding.parse(JSON.parse(String(finding)))
  }))
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`
