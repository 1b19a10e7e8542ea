import { z } from 'zod'
import { Failure } from '../../../../schemas/failure.ts'
import { roundUsd } from '../../../../schemas/money.ts'
import { defineImporter, type BillLine, type Meter } from '../../bill.ts'
import { readJson, unreadable } from '../../pages.ts'

/** The report prints floats: what lies below a micro-cent is noise. */
const ROUNDING_PICO = 5_000n
const MS_PER_DAY = 86_400_000

const Row = z.looseObject({
  date: z.string(),
  model: z.string().nullish(),
  model_permaslug: z.string().nullish(),
  usage: z.number(),
  byok_usage_inference: z.number().nullish(),
  requests: z.number().nullish(),
  prompt_tokens: z.number().nullish(),
  completion_tokens: z.number().nullish(),
  reasoning_tokens: z.number().nullish()
})
const Report = z.union([z.array(Row), z.object({ data: z.array(Row) })])
type Row = z.infer<typeof Row>

/** Money is told per endpoint and day, tokens by direction: reasoning is inside completion. */
const toLines = (row: Row): BillLine[] => {
  const fromMs = Date.parse(`${row.date.slice(0, 10)}T00:00:00Z`)
  if (Number.isNaN(fromMs)) throw new Failure('E_BILL_UNREADABLE', `"${row.date}" is not a date`)
  const line = (meter: Meter, rest: Partial<BillLine>): BillLine => ({
    provider: 'openrouter',
    model: row.model ?? row.model_permaslug ?? null,
    fromMs,
    toMs: fromMs + MS_PER_DAY,
    meter,
    tier: null,
    quantity: null,
    requests: null,
    amountPico: null,
    roundingPico: ROUNDING_PICO,
    label: `${row.model ?? ''} ${meter}`,
    identity: JSON.stringify([row, meter]),
    ...rest
  })
  return [
    line('all', { amountPico: roundUsd(row.usage), requests: row.requests ?? null }),
    ...(row.prompt_tokens == null ? [] : [line('in', { quantity: row.prompt_tokens })]),
    ...(row.completion_tokens == null ? [] : [line('out', { quantity: row.completion_tokens })])
  ]
}

export default defineImporter({
  schema: 'OpenRouter API reference, GET /api/v1/activity',
  read: (text) => {
    const [first, ...more] = readJson(text)
    const report = Report.safeParse(more.length === 0 ? first : [first, ...more])
    if (!report.success) throw unreadable(report.error)
    return (Array.isArray(report.data) ? report.data : report.data.data).flatMap(toLines)
  }
})
