/**
 * Times as servers write them into their logs: local, without a zone, some without a year. What
 * the text leaves out is told by options; it is never guessed from the clock.
 */

const ISO = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9}))?(Z|[+-]\d{2}:?\d{2})?$/
const NO_YEAR = /^(\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})$/

export const UTC_OFFSET = /^(Z|[+-]\d{2}:\d{2})$/
export const YEAR = /^20\d{2}$/

/** What the log's times leave out. */
export type LogClock = { utcOffset: string; year: string | null }

/** RFC 3339, or null when the text is no time or lacks a year that nobody told. */
export const logTime = (text: string, { utcOffset, year }: LogClock): string | null => {
  const iso = ISO.exec(text.trim())
  if (iso !== null) {
    const [, date = '', time = '', fraction, zone] = iso
    const part = fraction === undefined ? '' : `.${fraction}`
    return `${date}T${time}${part}${zone === undefined ? utcOffset : withColon(zone)}`
  }
  const short = NO_YEAR.exec(text.trim())
  return short === null || year === null ? null : `${year}-${short[1]}T${short[2]}${utcOffset}`
}

const withColon = (zone: string): string =>
  zone === 'Z' || zone.includes(':') ? zone : `${zone.slice(0, 3)}:${zone.slice(3)}`

/** The time some milliseconds before another; null when one of them is no time. */
export const timeBefore = (time: string | null, elapsedMs: number | null): string | null => {
  const endMs = Date.parse(time ?? '')
  if (Number.isNaN(endMs)) return null
  if (elapsedMs === null) return time
  const start = new Date(endMs - Math.max(0, elapsedMs))
  return Number.isNaN(start.getTime()) ? null : start.toISOString()
}
