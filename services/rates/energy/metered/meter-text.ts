import { Failure } from '../../../../schemas/failure.ts'
import { parseExposition, parseQueryAnswer, type SeriesSample } from './exposition.ts'
import { HOST_HINT, parseMeterCsv } from './meter-csv.ts'
import { meterReadings, type MeterReading } from './meter-reading.ts'

export type MeterText = {
  readings: MeterReading[]
  /** Series that speak of energy or power and are no meter that is known. */
  ignored: string[]
}

export type MeterTextOptions = {
  /** Host of readings that name none. */
  host?: string | null
  /** Time of a scrape that carries none. */
  timeMs?: number | null
}

/**
 * Reads a file of meter readings, whichever it is: the answer of a Prometheus query (JSON), a table
 * with a header (CSV) or scrapes in the text exposition format. Throws E_FACTOR_TABLE where nothing
 * in it is a reading, or one lacks its host or time.
 */
export const parseMeterText = (text: string, options: MeterTextOptions = {}): MeterText => {
  const { host = null } = options
  if (/^\s*\{/.test(text)) return ofSeries(parseQueryAnswer(jsonOf(text)), options)
  const table = /^[\w" ]+(,[\w" ]*)+\r?(\n|$)/.test(text)
  if (!table) return ofSeries(parseExposition(text), options)
  const readings = parseMeterCsv(text, host)
  if (readings.length > 0) return { readings, ignored: [] }
  throw new Failure('E_FACTOR_TABLE', 'the meter table has a header and no rows')
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
  const ignored = unknownSeries(samples)
  if (readings.some((reading) => reading.host === '')) {
    throw new Failure('E_FACTOR_TABLE', 'a reading names no host', HOST_HINT)
  }
  if (readings.length > 0) return { readings, ignored }
  const seen = ignored.length > 0 ? `; not known: ${ignored.join(', ')}` : ''
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
