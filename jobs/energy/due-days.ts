import type { Head } from '../../services/lake/commit.ts'
import type { Engine } from '../../services/lake/engine.ts'
import { settledHours } from '../../services/lake/settled-hours.ts'
import { DAY_MS } from './host-days.ts'
import { SPLIT_VERSION } from './measured-rows.ts'

const HOUR_MS = 3_600_000
const KEY_PREFIX = 'meter/day/'

export type DueDay = { dayMs: number; key: string; signature: string }

/**
 * Days with readings whose split may have changed since it was written down: readings, settled hours
 * or rows beyond them are others, or the rule is.
 */
export const dueDays = async (
  engine: Engine,
  head: Head,
  idleWatts: number | null
): Promise<DueDay[]> => {
  const readings = await counted(engine, 'day', 'temp.readings_now')
  const open = await counted(engine, 'hour', '(FROM temp.events WHERE provisional)')
  const settled = new Map(settledHours(head).map(({ startMs, through }) => [startMs, through]))
  // The calls of the hour before and after reach into the day.
  const hours = Array.from({ length: 26 }, (_, index) => (index - 1) * HOUR_MS)
  return [...readings].flatMap(([dayMs]) => {
    const around = [dayMs - DAY_MS, dayMs, dayMs + DAY_MS].map((day) => readings.get(day) ?? 0)
    const calls = hours.map((hour) => [
      settled.get(dayMs + hour) ?? null,
      open.get(dayMs + hour) ?? 0
    ])
    const told = calls.map(([through, rows]) => `${through ?? ''}+${rows}`).join(' ')
    const signature = [SPLIT_VERSION, idleWatts ?? '', around.join(' '), told].join('|')
    const key = `${KEY_PREFIX}${new Date(dayMs).toISOString().slice(0, 10)}`
    return head.state.get(key) === signature ? [] : [{ dayMs, key, signature }]
  })
}

const counted = async (
  engine: Engine,
  unit: 'day' | 'hour',
  relation: string
): Promise<Map<number, number>> => {
  const rows = await engine.rows(`SELECT epoch_ms(date_trunc('${unit}', time))::DOUBLE AS start,
    count(*)::DOUBLE AS n FROM ${relation} GROUP BY 1 ORDER BY 1`)
  return new Map(rows.map((row) => [Number(row['start']), Number(row['n'])]))
}
