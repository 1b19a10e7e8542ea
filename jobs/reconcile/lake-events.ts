import type { UsageEvent } from '../../schemas/event.ts'
import { TOKEN_FIELDS } from '../../schemas/tokens.ts'
import type { Head } from '../../services/lake/commit.ts'
import type { Engine, Row } from '../../services/lake/engine.ts'
import type { Lake } from '../../services/lake/lake.ts'
import { attach } from '../../services/lake/snapshot.ts'

const FACTS = [
  'id',
  'source',
  'tenant',
  'kind',
  'provider',
  'provider_account',
  'request_model',
  'response_model',
  'service_tier',
  'region',
  'batch',
  'duration_ms',
  'request_id',
  'response_id',
  'status',
  'error_type',
  'stop_class',
  'refusal'
] as const

/** Time zones reach this far beyond the bill's own days. */
const REACH_MS = 14 * 3_600_000

/** Events of a lake around a stretch of time: settled hours exact, the rest as they came. */
export const lakeEvents = async (
  doors: { engine: Engine; lake: Lake },
  head: Head,
  { fromMs, toMs }: { fromMs: number; toMs: number }
): Promise<UsageEvent[]> => {
  await attach(doors, head)
  const time = (ms: number): string => `make_timestamptz(${ms * 1000}::BIGINT)`
  const rows = await doors.engine.rows(
    `SELECT ${[...FACTS, ...TOKEN_FIELDS, 'units', 'iterations'].map((name) => `"${name}"`).join(', ')},
       epoch_ms(time) AS time_ms
     FROM temp.events WHERE time >= ${time(fromMs - REACH_MS)} AND time < ${time(toMs + REACH_MS)}
       AND provider IS NOT NULL ORDER BY time, tenant, source, id`
  )
  return rows.map(eventOf)
}

const plain = (value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value)

const eventOf = (row: Row): UsageEvent => {
  const facts = Object.fromEntries(FACTS.map((name) => [name, plain(row[name])]))
  const told = TOKEN_FIELDS.filter((name) => row[name] !== null)
  const tokens = {
    ...Object.fromEntries(told.map((name) => [name, Number(row[name])])),
    ...parsed('units', row),
    ...parsed('iterations', row)
  }
  const hasTokens = Object.keys(tokens).length > 0
  return {
    ...(facts as Omit<UsageEvent, 'time' | 'tokens'>),
    time: new Date(Number(row['time_ms'])).toISOString(),
    ...(hasTokens ? { tokens } : {})
  }
}

/** Both columns were written by our own encoder from validated events. */
const parsed = (name: 'units' | 'iterations', row: Row): Record<string, unknown> => {
  const text = row[name]
  return typeof text === 'string' ? { [name]: JSON.parse(text) as unknown } : {}
}
