import { z } from 'zod'
import { Failure } from '../../schemas/failure.ts'

/**
 * The shape that the usage and cost endpoints of OpenAI and Anthropic share: pages of time buckets
 * with results. A file may hold one page, a list of pages, or one page a line.
 */
const Bucket = z.looseObject({
  results: z.array(z.unknown()).optional(),
  result: z.array(z.unknown()).optional()
})
const Page = z.looseObject({ data: z.array(Bucket) })
type Bucket = z.infer<typeof Bucket>

export type Found<Result> = { bucket: Bucket; result: Result }

/** All results of a file with their buckets. Fails with the place of the first fault. */
export const parsePages = <Result>(text: string, schema: z.ZodType<Result>): Found<Result>[] => {
  const pages = z.array(Page).safeParse(readJson(text).flat())
  if (!pages.success) throw unreadable(pages.error)
  return pages.data.flatMap((page) =>
    page.data.flatMap((bucket) =>
      (bucket.results ?? bucket.result ?? []).map((entry) => {
        const result = schema.safeParse(entry)
        if (!result.success) throw unreadable(result.error)
        return { bucket, result: result.data }
      })
    )
  )
}

/** One JSON value, or one a line. */
export const readJson = (text: string): unknown[] => {
  try {
    return [JSON.parse(text)]
  } catch {
    const lines = text.split('\n').filter((line) => line.trim() !== '')
    return lines.map((line, index) => {
      try {
        return JSON.parse(line) as unknown
      } catch (cause) {
        throw new Failure('E_BILL_UNREADABLE', `line ${index + 1} is not JSON`, { cause })
      }
    })
  }
}

export const unreadable = (error: z.ZodError): Failure => {
  const [issue] = error.issues
  return new Failure(
    'E_BILL_UNREADABLE',
    `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not as documented'}`,
    { hint: 'See the how-to on reconciliation for the schema of each bill.' }
  )
}

type Times = { fromMs: number; toMs: number }

/** Buckets of OpenAI: seconds since the epoch. */
export const unixBucket = (bucket: Bucket): Times => {
  const times = z.object({ start_time: z.number(), end_time: z.number() }).safeParse(bucket)
  if (!times.success) throw unreadable(times.error)
  return { fromMs: times.data.start_time * 1000, toMs: times.data.end_time * 1000 }
}

/** Buckets of Anthropic: RFC 3339. */
export const rfcBucket = (bucket: Bucket): Times => {
  const times = z.object({ starting_at: z.string(), ending_at: z.string() }).safeParse(bucket)
  if (!times.success) throw unreadable(times.error)
  return { fromMs: Date.parse(times.data.starting_at), toMs: Date.parse(times.data.ending_at) }
}
