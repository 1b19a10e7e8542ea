import type { Engine } from '../../services/lake/engine.ts'
import type { Head } from '../../services/lake/commit.ts'
import type { Lake } from '../../services/lake/lake.ts'
import { attach } from '../../services/lake/snapshot.ts'
import type { LoadedSignal } from '../../services/signals/load.ts'
import { calibrate, type Calibration, type CalibrateOptions } from './calibrate.ts'
import { foldedUntilMs } from './detect.ts'
import { cutHead, firstWindowMs } from './lake-stretch.ts'

/** Calibration on the last full days of a lake that were folded, without what is known as incidents. */

type Doors = { engine: Engine; lake: Lake }

const DAY_MS = 86_400_000
const DAYS = 30
const FOR_GOOD_MS = Date.UTC(9999, 0)

/** Nothing when the lake holds fewer days than baselines take to learn. */
export const calibrateLake = async (
  doors: Doors,
  signals: readonly LoadedSignal[]
): Promise<Calibration[]> => {
  const head = await doors.lake.head()
  const foldedMs = foldedUntilMs(head.state)
  const firstMs = firstWindowMs(head)
  if (foldedMs === null || firstMs === null) return []
  const toMs = Math.floor(foldedMs / DAY_MS) * DAY_MS
  const fromMs = Math.max(toMs - DAYS * DAY_MS, Math.ceil(firstMs / DAY_MS) * DAY_MS)
  if (fromMs >= toMs) return []
  const incidents = await readIncidents(doors, head)
  await attach(doors, cutHead(head, fromMs, toMs))
  return calibrate(doors.engine, 'temp.windows', { signals, fromMs, toMs, incidents })
}

/** From when each incident is thought to have begun until it resolved, or for good. */
const readIncidents = async (
  doors: Doors,
  head: Head
): Promise<NonNullable<CalibrateOptions['incidents']>> => {
  const files = new Map([['findings' as const, head.files.get('findings') ?? new Map()]])
  await attach(doors, { ...head, files, state: new Map() })
  const rows = await doors.engine.rows(
    `SELECT tenant, epoch_ms(min(started_at)) AS first,
       CASE WHEN arg_max(status, sequence) = 'resolved' THEN epoch_ms(max(detected_at)) END AS last
     FROM temp.findings GROUP BY fingerprint, tenant`
  )
  return rows.map(({ tenant, first, last }) => ({
    tenant: typeof tenant === 'string' ? tenant : null,
    fromMs: Number(first),
    toMs: last === null ? FOR_GOOD_MS : Number(last)
  }))
}
