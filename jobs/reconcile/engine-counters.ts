import { z } from 'zod'
import { defineImporter, type BillImporter, type BillLine, type Meter } from './bill.ts'
import { readJson, unreadable } from './pages.ts'

/**
 * What a self-hosted engine counted over all its requests, as a second witness of what was recorded:
 * tokens by model and hour, no money. Read from what Prometheus answers to a range query, since a
 * single scrape of a counter says nothing about when.
 */
export type EngineNames = {
  provider: string
  /** Counters without their prefix and their ending; the first that is there counts. */
  prompt: readonly string[]
  cached: readonly string[]
  generated: readonly string[]
  requests: readonly string[]
}

const MS_PER_SECOND = 1000
const MS_PER_HOUR = 3_600_000

const Sample = z.tuple([z.number(), z.string().regex(/^\d+(\.\d+)?([eE][+-]?\d+)?$/)])
const Series = z.object({ metric: z.record(z.string(), z.string()), values: z.array(Sample) })
type Series = z.infer<typeof Series>
const Answer = z.object({ data: z.object({ result: z.array(Series) }) })

export const engineImporter = (names: EngineNames): BillImporter =>
  defineImporter({
    schema: `Prometheus HTTP API, GET /api/v1/query_range of {__name__=~"${names.provider}:.*_total"}`,
    read: (text) => {
      const answers = z.array(Answer).safeParse(readJson(text).flat())
      if (!answers.success) throw unreadable(answers.error)
      return linesOf(sumByHour(answers.data.flatMap(({ data }) => data.result)), names)
    }
  })

/** Increases by model and hour, and in them by counter. */
type Hours = Map<string, { model: string | null; fromMs: number; counts: Map<string, number> }>

const sumByHour = (series: readonly Series[]): Hours => {
  const hours: Hours = new Map()
  for (const { metric, values } of series) {
    const model = metric['model_name'] ?? null
    const counter = /[:_](.+?)(?:_total)?$/.exec(metric['__name__'] ?? '')?.[1] ?? ''
    for (const { atMs, increase } of increases(values)) {
      // A sample on the hour closes the hour before.
      const fromMs = Math.floor((atMs - 1) / MS_PER_HOUR) * MS_PER_HOUR
      const key = JSON.stringify([model, fromMs])
      const hour = hours.get(key) ?? { model, fromMs, counts: new Map<string, number>() }
      hours.set(key, hour)
      hour.counts.set(counter, (hour.counts.get(counter) ?? 0) + increase)
    }
  }
  return hours
}

/** What a counter rose by from sample to sample; one that fell was started again from 0. */
const increases = (values: Series['values']): { atMs: number; increase: number }[] =>
  values.slice(1).map(([time, value], index) => {
    const [now, before] = [Number(value), Number(values[index]?.[1])]
    return { atMs: time * MS_PER_SECOND, increase: now < before ? now : now - before }
  })

const linesOf = (hours: Hours, names: EngineNames): BillLine[] =>
  [...hours.values()].flatMap(({ model, fromMs, counts }) => {
    const requests = firstOf(counts, names.requests)
    return metersOf(counts, names).map(([meter, quantity], index): BillLine => ({
      provider: names.provider,
      model,
      fromMs,
      toMs: fromMs + MS_PER_HOUR,
      meter,
      tier: null,
      quantity,
      requests: index === 0 ? requests : null,
      amountPico: null,
      roundingPico: 0n,
      label: `${model ?? 'all models'} ${meter}`,
      identity: JSON.stringify([model, fromMs, meter])
    }))
  })

/** Cached tokens are inside the prompt; without them the input is not split. */
const metersOf = (counts: ReadonlyMap<string, number>, names: EngineNames): [Meter, number][] => {
  const prompt = firstOf(counts, names.prompt)
  const cached = firstOf(counts, names.cached)
  const generated = firstOf(counts, names.generated)
  const found: [Meter, number | null][] =
    prompt === null || cached === null
      ? [['in', prompt]]
      : [
          ['in_uncached', prompt - cached],
          ['in_cache_read', cached]
        ]
  found.push(['out', generated])
  return found.filter((entry): entry is [Meter, number] => entry[1] !== null && entry[1] !== 0)
}

const firstOf = (counts: ReadonlyMap<string, number>, names: readonly string[]): number | null => {
  const name = names.find((one) => counts.has(one))
  return name === undefined ? null : (counts.get(name) ?? null)
}
