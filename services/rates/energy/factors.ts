import { z } from 'zod'
import { Failure } from '../../../schemas/failure.ts'
import file from './factors.json' with { type: 'json' }

/**
 * Coefficients of one roofline, fitted by infra/energy. `memory`, `arithmetic`, `keyValue` and
 * `prefill` are shares of the board's full power while the respective limit binds; the `…Micros`
 * are microseconds of one GPU.
 */
const Roofline = z.strictObject({
  memory: z.number(),
  expertMemory: z.number(),
  arithmetic: z.number(),
  keyValue: z.number(),
  state: z.number(),
  stepMicros: z.number(),
  communicationMicros: z.number(),
  routingMicros: z.number(),
  tokenMicros: z.number(),
  prefill: z.number(),
  gpu: z.record(z.string(), z.number()),
  precision: z.record(z.string(), z.number()),
  engine2024: z.number(),
  engine2024Mixture: z.number()
})
export type RooflineFactors = z.infer<typeof Roofline>

/** Half-widths of the 80 % interval in natural logarithms, below and above the middle. */
const HalfWidth = z.strictObject({ below: z.number().positive(), above: z.number().positive() })
export type HalfWidth = z.infer<typeof HalfWidth>

const Knowledge = z.strictObject({ dense: HalfWidth, mixture: HalfWidth })

const EnergyFactors = z.strictObject({
  version: z.string(),
  provenance: z.record(z.string(), z.union([z.string(), z.number(), z.array(z.string())])),
  energy: Roofline,
  latency: Roofline,
  /** Weight of the observed against the predicted latency when both it and the batch are known. */
  latencyWeight: z.number(),
  /** Concurrency when it is not known: log-normal, and the error of the latency model. */
  concurrency: z.strictObject({
    median: z.number(),
    sigma: z.number(),
    latencySigma: z.number(),
    /** Scale of the posterior's spread in the interval, so that it covers what it says. */
    spreadScale: z.number()
  }),
  /** Share of measured rows of older models that ran on serving software of 2024. */
  engine2024Share: z.number(),
  interval: z.strictObject({
    batch_and_latency: Knowledge,
    batch: Knowledge,
    latency: Knowledge,
    neither: Knowledge
  })
})
export type EnergyFactors = z.infer<typeof EnergyFactors>
export type KnowledgeName = keyof EnergyFactors['interval']

/** Validates a factor file; throws E_FACTOR_TABLE naming the first field that is wrong. */
export const parseFactors = (value: unknown): EnergyFactors => {
  const parsed = EnergyFactors.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new Failure(
    'E_FACTOR_TABLE',
    `energy factors: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unreadable'}`,
    { hint: 'Write the file again with `npm run calibrate`.' }
  )
}

/** The factors that ship. */
export const FACTORS: EnergyFactors = parseFactors(file)
