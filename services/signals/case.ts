import { z } from 'zod'

/**
 * A case of a signal is data: events in, findings out. Traffic is written as repeated events, so
 * that an hour of it is a few lines; `{n}` in any string becomes the running number.
 */
const Traffic = z.strictObject({
  from_minute: z.number().nonnegative(),
  to_minute: z.number().positive(),
  every_seconds: z.number().positive(),
  /** A native event without id and time, which are filled in. */
  event: z.record(z.string(), z.unknown())
})

export const Case = z.strictObject({
  /** What happens, as a sentence. */
  says: z.string(),
  /** RFC 3339 time of minute 0. */
  start: z.iso.datetime(),
  traffic: z.array(Traffic),
  /** Each finding in order, with the fields that the case is about. */
  findings: z.array(z.record(z.string(), z.unknown()))
})
export type Case = z.infer<typeof Case>

/** All events of a case in order of time, as lines of NDJSON. */
export const caseLines = (one: Case): string[] =>
  one.traffic
    .flatMap((traffic, index) => repeat(traffic, Date.parse(one.start), index))
    .sort((a, b) => a.ms - b.ms)
    .map(({ line }) => line)

const MINUTE_MS = 60_000

const repeat = (traffic: z.infer<typeof Traffic>, startMs: number, index: number) => {
  const step = traffic.every_seconds * 1000
  const [from, to] = [traffic.from_minute * MINUTE_MS, traffic.to_minute * MINUTE_MS]
  return Array.from({ length: Math.ceil((to - from) / step) }, (_, n) => {
    const ms = startMs + from + n * step
    const event = { id: `${index}-{n}`, time: new Date(ms).toISOString(), ...traffic.event }
    return { ms, line: JSON.stringify(event).replaceAll('{n}', String(n)) }
  })
}
