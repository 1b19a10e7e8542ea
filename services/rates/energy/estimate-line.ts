import { z } from 'zod'
import { Failure } from '../../../schemas/failure.ts'
import { boundaryEnergy } from './boundary.ts'
import { estimateEnergy } from './estimate.ts'
import type { Interval } from './interval.ts'

/** One line of `tally energy estimate --ndjson`: what is unknown is absent or null. */
const optional = z.number().nonnegative().nullish()
const EstimateLine = z.object({
  model: z.string().nullish(),
  p_total_b: optional,
  p_active_b: optional,
  gpu: z.string().nullish(),
  n_gpus: optional,
  precision: z.string().nullish(),
  concurrency: optional,
  itl_ms: optional,
  in_uncached: optional,
  in_cache_read: optional,
  in_cache_write: optional,
  out: z.number().nonnegative(),
  engine: z.string().nullish(),
  engine_year: z.int().nullish(),
  time: z.string().nullish(),
  provider: z.string().nullish()
})
type EstimateLine = z.infer<typeof EstimateLine>

export const ESTIMATE_FIELDS: readonly string[] = Object.keys(EstimateLine.shape)

type SnakeInterval = { low_j: number; mid_j: number; high_j: number }

export type EstimateAnswer = SnakeInterval & {
  tier: string
  method_version: string
  factors_version: string
  boundary: 'gpu'
  concurrency: number
  host: SnakeInterval
  site: SnakeInterval
  idle: SnakeInterval
  assumptions: string[]
}

/** Answers one parsed line; throws E_USAGE naming the field that is wrong and the value seen. */
export const answerEstimateLine = (value: unknown): EstimateAnswer => {
  const parsed = EstimateLine.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const path = issue?.path.join('.') ?? ''
    throw new Failure(
      'E_USAGE',
      `${path === '' ? 'line' : path}: ${issue?.message ?? 'unreadable'}`,
      {
        hint: `A line is an object of ${ESTIMATE_FIELDS.join(', ')}; only out is required.`
      }
    )
  }
  const line = parsed.data
  const estimate = estimateEnergy({
    model: line.model,
    totalB: line.p_total_b,
    activeB: line.p_active_b,
    gpu: line.gpu,
    gpuCount: line.n_gpus,
    precision: line.precision,
    engineYear: engineYearOf(line),
    concurrency: line.concurrency,
    interTokenMs: line.itl_ms,
    inUncached: computedInput(line),
    inCacheRead: line.in_cache_read,
    out: line.out
  })
  const boundary = boundaryEnergy(estimate.joules, line.provider ?? null)
  return {
    ...snake(estimate.joules),
    tier: estimate.tier,
    method_version: estimate.methodVersion,
    factors_version: estimate.factorsVersion,
    boundary: 'gpu',
    concurrency: estimate.concurrency,
    host: snake(boundary.host),
    site: snake(boundary.site),
    idle: snake(boundary.idle),
    assumptions: estimate.assumptions
  }
}

const snake = ({ low, mid, high }: Interval): SnakeInterval => ({
  low_j: low,
  mid_j: mid,
  high_j: high
})

// Written cache was computed like any other input.
const computedInput = ({ in_uncached: read, in_cache_write: write }: EstimateLine) =>
  read === null || read === undefined ? write : read + (write ?? 0)

const VLLM_MINOR_CURRENT = 7

/**
 * The year of the serving software: as given, from a year or a vLLM version in the engine's name
 * (0.7 was the first of 2025), or from the time of the call. Null when nothing tells it.
 */
export const engineYearOf = (line: {
  engine_year?: number | null | undefined
  engine?: string | null | undefined
  time?: string | null | undefined
}): number | null => {
  if (line.engine_year !== null && line.engine_year !== undefined) return line.engine_year
  const engine = line.engine?.toLowerCase() ?? ''
  const year = /\b(20[2-9]\d)\b/.exec(engine)
  if (year !== null) return Number(year[1])
  const version = /vllm\D*(\d+)\.(\d+)/.exec(engine)
  if (version !== null) {
    const current = Number(version[1]) > 0 || Number(version[2]) >= VLLM_MINOR_CURRENT
    return current ? 2025 : 2024
  }
  const time = /^(\d{4})-/.exec(line.time ?? '')
  return time === null ? null : Number(time[1])
}
