import { fingerprint } from '../../services/signals/fingerprint.ts'
import { sqlEquals } from '../../services/signals/sql.ts'
import type { LoadedSignal } from '../../services/signals/load.ts'
import { openDetection } from './fold.ts'
import type { DetectSource } from './source.ts'
import { openStretch } from './stretch.ts'

/**
 * How often signals fire when nothing lasts: the last days are folded once more with their blocks of
 * ten minutes permuted. Each keeps its place in the day and all that belongs to it (traffic, sessions,
 * noise), but comes from another day, so that no change outlives ten minutes and findings are false.
 * Windows alone are permuted: whoever remembers prefixes or traces would see them torn.
 */
export type Calibration = {
  signal: string
  findings: number
  tenantMonths: number
  perTenantMonth: number
  /** What the signal's settings promise; null when they promise nothing. */
  nominal: number | null
}

export type CalibrateOptions = {
  signals: readonly LoadedSignal[]
  /** Both at full days, UTC. */
  fromMs: number
  toMs: number
  /** Stretches in which something was wrong; without a tenant it was for all. */
  incidents?: readonly Incident[]
  rowsMax?: number
}

type Incident = { tenant: string | null; fromMs: number; toMs: number }

const DAY_MS = 86_400_000
/** Long enough for what sessions and noise share, too short for most detectors to be sure. */
const BLOCK_MINUTES = 10
const BLOCK_MS = BLOCK_MINUTES * 60_000
const BLOCKS = DAY_MS / BLOCK_MS
const MONTH_DAYS = 30
/** Days that baselines learn first, whose findings don't count. */
const WARM_DAYS = 7
/** Rows of a sample of tenants: some hundred megabytes. */
const ROWS_MAX = 1_000_000
/** Tenants are sampled by a hash in this many parts. */
const PARTS = 10_000
const NOMINAL = 'falseFindingsPerTenantMonth'
const TABLE = 'calibration'

/** One entry per signal that reads windows; none when there are fewer days than baselines need. */
export const calibrate = async (
  source: DetectSource,
  windows: string,
  options: CalibrateOptions
): Promise<Calibration[]> => {
  const days = Math.floor((options.toMs - options.fromMs) / DAY_MS)
  if (days <= WARM_DAYS) return []
  const signals = options.signals.filter(({ sql }) => sql.window !== undefined)
  const tenants = await permute(source, windows, { ...options, days })
  if (tenants === 0) return []
  const counts = await replay(source, signals, options)
  const tenantMonths = (tenants * (days - WARM_DAYS)) / MONTH_DAYS
  return signals.map(({ id, settings }) => {
    const findings = counts.get(id) ?? 0
    return {
      signal: id,
      findings,
      tenantMonths,
      perTenantMonth: findings / tenantMonths,
      nominal: settings[NOMINAL] ?? null
    }
  })
}

/** For each block of the day: which day each day's block comes from. */
const blockMap = (fromMs: number, days: number): [number, number][] =>
  Array.from({ length: BLOCKS }, (_, block) => {
    const order = Array.from({ length: days }, (_, day) => day).sort((a, b) =>
      fingerprint('calibration', block, a) < fingerprint('calibration', block, b) ? -1 : 1
    )
    return order.map((from, to): [number, number] => [
      fromMs + from * DAY_MS + block * BLOCK_MS,
      fromMs + to * DAY_MS + block * BLOCK_MS
    ])
  }).flat()

type Span = CalibrateOptions & { days: number }

/** Fills the table with permuted windows of a sample of tenants; returns how many tenants. */
const permute = async (
  source: DetectSource,
  windows: string,
  { fromMs, toMs, days, incidents = [], rowsMax = ROWS_MAX }: Span
): Promise<number> => {
  const within = `window_start >= ${time(fromMs)} AND window_start < ${time(toMs)}`
  const rows = await numberOf(source, `SELECT count(*) AS n FROM ${windows} WHERE ${within}`)
  const parts = Math.max(1, Math.ceil((PARTS * rowsMax) / Math.max(rows, 1)))
  const blocks = blockMap(fromMs, days).map(([from, to]) => `(${time(from)}, ${time(to)})`)
  await source.run(`CREATE OR REPLACE TEMP TABLE ${TABLE} AS
SELECT w.* REPLACE (w.window_start + (b.later - b.earlier) AS window_start)
FROM ${windows} w
JOIN (VALUES ${blocks.join(', ')}) AS b(earlier, later)
  ON b.earlier = time_bucket(INTERVAL ${BLOCK_MINUTES} MINUTES, w.window_start)
WHERE ${within} ${withoutIncidents(incidents)} AND hash(w.tenant) % ${PARTS} < ${parts}`)
  return numberOf(source, `SELECT count(DISTINCT tenant) AS n FROM temp.${TABLE}`)
}

const withoutIncidents = (incidents: readonly Incident[]): string =>
  incidents
    .map(({ tenant, fromMs, toMs }) => {
      const whose = tenant === null ? '' : ` AND ${sqlEquals('w.tenant', tenant)}`
      return `AND NOT (w.window_start >= ${time(fromMs)} AND w.window_start < ${time(toMs)}${whose})`
    })
    .join('\n')

const time = (ms: number): string => `make_timestamptz(${ms * 1000}::BIGINT)`

const numberOf = async (source: DetectSource, sql: string): Promise<number> => {
  const { numbers } = await source.whole(`SELECT n::DOUBLE AS n FROM (${sql})`)
  return numbers['n']?.[0] ?? 0
}

/** Findings that open after the warm-up, per signal. */
const replay = async (
  source: DetectSource,
  signals: readonly LoadedSignal[],
  { fromMs, toMs }: CalibrateOptions
): Promise<Map<string, number>> => {
  const stretch = openStretch(source, { windows: `temp.${TABLE}` }, signals)
  const options = { signals, generation: TABLE }
  const detection = await openDetection(source, stretch.relations, options)
  const counts = new Map<string, number>()
  for (let startMs = fromMs; startMs < toMs; startMs += DAY_MS) {
    await stretch.hold(startMs, startMs + DAY_MS)
    const findings = await detection.foldRange(startMs, startMs + DAY_MS)
    for (const { signal, status, detected_at: at } of findings) {
      if (status !== 'firing' || Date.parse(at) < fromMs + WARM_DAYS * DAY_MS) continue
      counts.set(signal, (counts.get(signal) ?? 0) + 1)
    }
  }
  return counts
}
