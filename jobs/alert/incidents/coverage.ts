import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import type { Engine } from '../../../services/lake/engine.ts'
import type { Lake } from '../../../services/lake/lake.ts'
import { attach } from '../../../services/lake/snapshot.ts'
import type { Coverage } from './no-data.ts'

const sqlUrl = new URL('coverage.sql', import.meta.url)
const Row = z.object({
  tenant: z.string().nullable(),
  last_ms: z.number(),
  gap_ms_max: z.number(),
  windows: z.number()
})

/** A minute's silence more or less changes no alert, and reading all windows costs. */
const AGE_MS_MAX = 60_000

/** Reads who sent data until when; at most once a minute. */
export const coverageReader = (
  doors: { engine: Engine; lake: Lake },
  clock: () => Date
): (() => Promise<Coverage[]>) => {
  let known: { readMs: number; coverage: Coverage[] } | null = null
  return async () => {
    const nowMs = clock().getTime()
    if (known !== null && nowMs - known.readMs < AGE_MS_MAX) return known.coverage
    await attach(doors, await doors.lake.head())
    const rows = await doors.engine.rows(await readFile(sqlUrl, 'utf8'))
    known = { readMs: nowMs, coverage: rows.map(readCoverage) }
    return known.coverage
  }
}

const readCoverage = (row: unknown): Coverage => {
  const { tenant, last_ms: lastMs, gap_ms_max: gapMsMax, windows } = Row.parse(row)
  return { tenant, lastMs, gapMsMax, windows }
}
