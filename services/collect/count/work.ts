/**
 * What counting a text costs, before it is done. Byte pairs are merged in the square of the length
 * of an unbroken run, so that 100,000 spaces in a row would hold a process for six seconds, and as
 * many Chinese characters without a break for a minute.
 */

/** Nanoseconds a byte outside of merging, and a square byte of a run; measured on one core. */
const NS_PER_BYTE = 30
const NS_PER_SQUARE = 3
/** Half a second of counting in one message, as long as one may hold the process at most. */
export const WORK_MAX = 500_000_000
/** Letters, blanks, or signs without a break, as the encoding cuts them; digits go by threes. */
const RUN = /[\p{L}\p{M}]+|\s+|[^\p{L}\p{M}\p{N}\s]+/gu

/** Nanoseconds, about, that counting takes; more than `WORK_MAX` for what is too much to look at. */
export const workOf = (text: string): number => {
  if (text.length * NS_PER_BYTE > WORK_MAX) return Number.POSITIVE_INFINITY
  const bytes = Buffer.byteLength(text)
  const width = bytes / text.length
  let work = bytes * NS_PER_BYTE
  for (const [run] of text.matchAll(RUN)) work += (run.length * width) ** 2 * NS_PER_SQUARE
  return work
}
