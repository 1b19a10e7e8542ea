import { Failure } from '../../../../schemas/failure.ts'
import { parseExposition, parseQueryAnswer, type SeriesSample } from './exposition.ts'
import { assertReadings } from './meter-checks.ts'
import { HOST_HINT, parseMeterCsv } from './meter-csv.ts'
import { meterReadings, type MeterText } from './meter-reading.ts'

export type MeterTextOptions = {
  /** Host of readings that name none. */
  host?: string | null
  /** Time of a scrape that carries none. */
  timeMs?: number | null
  /** The clock, which no reading is ahead of. */
  nowMs?: number | null
}

/**
 * Reads a file of meter readings, whichever it is: the answer of a Prometheus query (JSON), a table
 * with a header (CSV) or scrapes in the text exposition format. Throws E_FACTOR_TABLE where nothing
 * in it is a reading, or one lacks its host or time, or has one that can not be.
 */
export const parseMeterText = (text: string, options: MeterTextOptions = {}): MeterText => {
  const parsed = parsedText(text.replace(/^\uFEFF/, ''), options)
  assertReadings(parsed.readings, options)
  return parsed
}

/** A line with commas and no labels: series have none outside of their braces. */
const TABLE = /^[^{#\n]*,/

const parsedText = (text: string, options: MeterTextOptions): MeterText => {
  if (text.trim() === '') throw new Failure('E_FACTOR_TABLE', 'the meter file is empty')
  if (/^\s*\{/.test(text)) return ofSeries(parseQueryAnswer(jsonOf(text)), options)
  if (!TABLE.test(text)) return ofSeries(parseExposition(wholeScrape(text)), options)
  const table = parseMeterCsv(text, options.host)
  if (table.readings.length > 0) return table
  const left = table.ignored.length > 0 ? `; left out: ${table.ignored.join(', ')}` : ''
  throw new Failure('E_FACTOR_TABLE', `the meter table has a header and no rows${left}`)
}

/** A scrape ends with a line break: one that does not was cut, and perhaps within a number. */
const wholeScrape = (text: string): string => {
  if (text.endsWith('\n')) return text
  const last = text.slice(text.lastIndexOf('\n') + 1)
  throw new Failure('E_FACTOR_TABLE', `the scrape was cut within a line: "${last.slice(0, 120)}"`, {
    hint: 'Take it again, or end the file with a line break.'
  })
}

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new Failure('E_FACTOR_TABLE', 'the meter file begins like JSON and is none', {
      cause: error
    })
  }
}

/** Words of a draw, and of what limits one. */
const SPEAKS_OF_POWER = /energy|power|joule|watt/i
const NO_DRAW = /limit|violation|cap|profile|state|management/i

const ofSeries = (
  samples: readonly SeriesSample[],
  { host = null, timeMs = null }: MeterTextOptions
): MeterText => {
  const untimed = samples.some(
    (sample) => meterReadings([sample], 0).length > 0 && sample.timeMs === null
  )
  if (untimed && timeMs === null) {
    throw new Failure('E_FACTOR_TABLE', 'the scrape carries no times', {
      hint: 'Give --at TIME, when it was taken.'
    })
  }
  const readings = meterReadings(samples, timeMs).map((reading) =>
    reading.host === '' ? { ...reading, host: host ?? '' } : reading
  )
  const ignored = [...unknownSeries(samples), ...noDraws(samples)]
  if (readings.some((reading) => reading.host === '')) {
    throw new Failure('E_FACTOR_TABLE', 'a reading names no host', HOST_HINT)
  }
  if (readings.length > 0) return { readings, ignored }
  const seen = ignored.length > 0 ? `; left out: ${ignored.join(', ')}` : ''
  throw new Failure('E_FACTOR_TABLE', `no series in the file is a GPU's meter${seen}`, {
    hint: 'Known are the DCGM exporter, NVML and Zeus counters and nvidia-smi exporters.'
  })
}

const unknownSeries = (samples: readonly SeriesSample[]): string[] => {
  const known = (name: string): boolean =>
    meterReadings([{ name, labels: {}, value: 0, timeMs: 0 }]).length > 0
  const names = [...new Set(samples.map(({ name }) => name))]
  return names.filter((name) => SPEAKS_OF_POWER.test(name) && !NO_DRAW.test(name) && !known(name))
}

/** Values of meters that are none: below 0, or not a number. */
const noDraws = (samples: readonly SeriesSample[]): string[] => {
  const counts = new Map<string, number>()
  for (const sample of samples) {
    if (sample.value >= 0 && sample.value < Infinity) continue
    if (meterReadings([{ ...sample, value: 0 }], 0).length === 0) continue
    counts.set(sample.name, (counts.get(sample.name) ?? 0) + 1)
  }
  return [...counts].map(([name, count]) => `${count} values of ${name} that are no reading`)
}
