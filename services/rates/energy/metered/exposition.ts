import { z } from 'zod'
import { Failure } from '../../../../schemas/failure.ts'

/** One value of one series. `timeMs` is null where the scrape carries no timestamp. */
export type SeriesSample = {
  name: string
  labels: Readonly<Record<string, string>>
  value: number
  timeMs: number | null
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+(-?\d+))?\s*$/
const LABEL = /(?<!\w)([a-zA-Z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"/g

/**
 * Reads the Prometheus text exposition format. Comments are skipped; a line that is no sample throws
 * E_FACTOR_TABLE with the line, since a cut scrape must not pass for a quiet GPU.
 */
export const parseExposition = (text: string): SeriesSample[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(parseLine)

/** A number, or what the format has for none; an empty text is not 0. */
const VALUE = /^[+-]?((\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|inf(inity)?|nan)$/i

/** NaN for what is told to be none, null for what can not be read. */
const valueOf = (text: string): number | null => (VALUE.test(text) ? Number(text) : null)

const parseLine = (line: string): SeriesSample => {
  const match = LINE.exec(line)
  const value = valueOf(match?.[3] ?? '')
  if (match === null || value === null) {
    throw new Failure('E_FACTOR_TABLE', `not a Prometheus sample: "${line.slice(0, 120)}"`)
  }
  const labels = [...(match[2] ?? '').matchAll(LABEL)].map(
    (label) => [label[1] ?? '', unescapeLabel(label[2] ?? '')] as const
  )
  return {
    name: match[1] ?? '',
    labels: Object.fromEntries(labels),
    value,
    timeMs: match[4] === undefined ? null : Number(match[4])
  }
}

const unescapeLabel = (text: string): string =>
  text.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))

const Pair = z.tuple([z.number(), z.string()])
const QueryAnswer = z.object({
  data: z.object({
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        values: z.array(Pair).optional(),
        value: Pair.optional()
      })
    )
  })
})

/** Reads the JSON answer of a Prometheus `query` or `query_range`; times there are seconds. */
export const parseQueryAnswer = (value: unknown): SeriesSample[] => {
  const parsed = QueryAnswer.safeParse(value)
  if (!parsed.success) {
    throw new Failure('E_FACTOR_TABLE', 'not a Prometheus query answer', { cause: parsed.error })
  }
  return parsed.data.data.result.flatMap(({ metric, values, value: single }) => {
    const { __name__: name = '', ...labels } = metric
    const pairs = values ?? (single === undefined ? [] : [single])
    return pairs.map(([seconds, text]) => {
      const read = valueOf(text)
      if (read !== null) return { name, labels, value: read, timeMs: Math.round(seconds * 1000) }
      throw new Failure('E_FACTOR_TABLE', `the query answer has the value "${text}" of ${name}`)
    })
  })
}
