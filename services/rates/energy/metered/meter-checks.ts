import { Failure } from '../../../../schemas/failure.ts'
import type { MeterReading } from './meter-reading.ts'

/** What no reading can be, whatever file it came in. */

/** Before any GPU counted its energy: an earlier time is a number of another column, or unit. */
const TIME_MS_MIN = Date.UTC(2010, 0, 1)
/** For who does not know the clock: later times are counted in micro- or nanoseconds. */
const TIME_MS_MAX = Date.UTC(2100, 0, 1)
/** Clocks of hosts differ by less. */
const AHEAD_MS_MAX = 3_600_000
/** Times that a date can be made of. */
const DATE_MS_MAX = 8.64e15

type Clock = {
  /** What readings were given that told no time: whoever gave it answers for it. */
  timeMs?: number | null
  nowMs?: number | null
}

/** @throws Failure E_FACTOR_TABLE for times that can not be, and for GPUs that are not told apart. */
export const assertReadings = (readings: readonly MeterReading[], clock: Clock): void => {
  const { nowMs = null } = clock
  const latest = nowMs === null ? TIME_MS_MAX : nowMs + AHEAD_MS_MAX
  const known = new Map<string, number>()
  for (const reading of readings) {
    const { timeMs, gpu } = reading
    const isPossible = timeMs === clock.timeMs || (timeMs >= TIME_MS_MIN && timeMs <= latest)
    if (!isPossible) throw impossibleTime(reading)
    if (gpu === '') assertOneGpu(reading, known)
  }
}

const impossibleTime = ({ host, timeMs }: MeterReading): Failure => {
  const isDate = Math.abs(timeMs) <= DATE_MS_MAX
  const time = isDate ? new Date(timeMs).toISOString() : `${timeMs} ms since the epoch`
  return new Failure('E_FACTOR_TABLE', `a reading of ${host} is of ${time}, which can not be`, {
    hint:
      'Epochs of tables are in seconds or milliseconds, of scrapes in milliseconds; ' +
      'a time ahead of now is a wrong clock or a wrong offset.'
  })
}

/** Without a name two GPUs look like one: their readings would hide one another. */
const assertOneGpu = (reading: MeterReading, known: Map<string, number>): void => {
  const { host, kind, unit, timeMs, value } = reading
  const key = JSON.stringify([host, kind, unit, timeMs])
  const before = known.get(key)
  known.set(key, value)
  if (before === undefined || before === value) return
  throw new Failure(
    'E_FACTOR_TABLE',
    `${host} reads ${before} and ${value} at ${new Date(timeMs).toISOString()}, and names no GPU`,
    { hint: 'Give a column gpu or gpu_uuid: each GPU is a meter of its own.' }
  )
}
