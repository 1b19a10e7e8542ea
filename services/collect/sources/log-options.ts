import { Failure } from '../../../schemas/failure.ts'
import { UTC_OFFSET, YEAR, type LogClock } from './log-time.ts'
import type { OptionSpec, SourceOptions } from './source.ts'

/** Options of dialects that read the logs of a server. */
export const LOG_OPTIONS = {
  utc_offset: { about: 'zone of the times in the log, +02:00 say; Z without it' },
  year: { about: 'year of times that are written without one' },
  model: { about: 'model that the server serves, where the log does not say' }
} satisfies Record<string, OptionSpec>

export type LogContext = LogClock & { model: string | null }

export const NO_LOG_CONTEXT: LogContext = { utcOffset: 'Z', year: null, model: null }

/** @throws Failure E_USAGE for a zone or year that is none. */
export const logContext = (options: SourceOptions): LogContext => {
  const utcOffset = options['utc_offset'] ?? 'Z'
  const year = options['year'] ?? null
  if (!UTC_OFFSET.test(utcOffset)) {
    throw new Failure('E_USAGE', `utc_offset is ${utcOffset}, not Z or +02:00`)
  }
  if (year !== null && !YEAR.test(year)) throw new Failure('E_USAGE', `year is ${year}, not 2026`)
  return { utcOffset, year, model: options['model'] ?? null }
}
