import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveDeployment, type DeploymentRequest } from './deployment.ts'
import { estimateEnergy } from './estimate.ts'
import { FACTORS, type HalfWidth, type KnowledgeName } from './factors.ts'
import {
  fixedSeconds,
  inputSeconds,
  isMixture,
  marginalSeconds,
  rooflineTerms
} from './roofline.ts'

/** What is known of the batch before a latency tells more, and the two steps that it is told by. */
const plainBatch = (
  given: number | null,
  observed: number | null,
  stepMs: (batch: number) => number
): { batch: number; logSigma: number } => {
  const { median, sigma, latencySigma } = FACTORS.concurrency
  if (given !== null) return { batch: Math.max(1, given), logSigma: 0 }
  if (observed === null) return { batch: median, logSigma: 0 }
  let logBatch = Math.log(median)
  let curvature = 1
  for (const _step of [1, 2]) {
    // How the step grows with ln(batch), by a small difference on either side.
    const at = (by: number): number => Math.log(stepMs(Math.exp(logBatch + by)))
    const elasticity = (at(1e-5) - at(-1e-5)) / 2e-5
    curvature = (elasticity / latencySigma) ** 2 + sigma ** -2
    const gradient =
      (elasticity * (Math.log(observed) - at(0))) / latencySigma ** 2 -
      (logBatch - Math.log(median)) / sigma ** 2
    const step = Math.max(-2.5, Math.min(2.5, gradient / curvature))
    logBatch = Math.max(0, Math.min(7, logBatch + step))
  }
  return { batch: Math.exp(logBatch), logSigma: curvature ** -0.5 }
}

const knowledgeOf = (given: number | null, observed: number | null): KnowledgeName => {
  if (given === null) return observed === null ? 'neither' : 'latency'
  return observed === null ? 'batch' : 'batch_and_latency'
}

type Told = DeploymentRequest & {
  inUncached: number | null
  inCacheRead: number | null
  out: number
  concurrency: number | null
  interTokenMs: number | null
}

/**
 * One call by the formulas of infra/ENERGY.md with the engine's own functions, as plainly as they can
 * be written: what the arithmetic of blocks has to come to.
 */
const plain = (request: Told) => {
  const { inUncached, inCacheRead, concurrency: given } = request
  const { deployment, assumptions, modelKnown, hardwareKnown } = resolveDeployment(request, FACTORS)
  const { gpu, gpuCount, model } = deployment
  const energy = rooflineTerms(deployment, FACTORS.energy)
  const latency = rooflineTerms(deployment, FACTORS.latency)
  const cached = inCacheRead ?? 0
  const uncached = inUncached ?? (cached > 0 ? 0 : 250)
  const context = uncached + cached + 0.6 * request.out
  const stepMs = (running: number): number =>
    ((fixedSeconds(latency, running) + running * marginalSeconds(latency, context)) * 1000) /
    gpuCount
  const observed = modelKnown && hardwareKnown ? request.interTokenMs : null
  const { batch, logSigma } = plainBatch(given, observed, stepMs)
  const shared = fixedSeconds(energy, batch) / batch
  const perOutput = shared + marginalSeconds(energy, context)
  const known = knowledgeOf(given, observed)
  const gap = known === 'batch_and_latency' ? (observed ?? 0) / stepMs(batch) : 1
  const slower = Math.max(1 / 4, Math.min(4, gap)) ** FACTORS.latencyWeight
  const perInput = inputSeconds(energy, uncached + cached)
  const prefill = perInput * uncached
  const reused = 0.1 * perInput * cached
  const sum = prefill + reused + perOutput * request.out * slower
  const mid = sum * gpu.powerWattsMax
  const blur = (1.2816 * FACTORS.concurrency.spreadScale * logSigma * shared) / perOutput
  const isUnreported = inUncached === null && inCacheRead === null
  const widths: HalfWidth[] = [
    FACTORS.interval[known][isMixture(model) ? 'mixture' : 'dense'],
    ...assumptions,
    { below: (0.51 * prefill) / sum, above: (0.69 * prefill) / sum },
    { below: (1.61 * reused) / sum, above: (1.31 * reused) / sum },
    { below: blur, above: blur },
    isUnreported ? { below: 0.05, above: 0.25 } : { below: 0, above: 0 }
  ]
  const width = (side: keyof HalfWidth): number => Math.hypot(...widths.map((each) => each[side]))
  return { low: mid * Math.exp(-width('below')), mid, high: mid * Math.exp(width('above')), batch }
}

const DEPLOYMENTS: DeploymentRequest[] = [
  { model: 'meta-llama/Llama-3.1-8B-Instruct', gpu: 'H100', gpuCount: 1, precision: 'bf16' },
  { model: 'Qwen/Qwen3-235B-A22B', gpu: 'B200', gpuCount: 8, precision: 'fp8' },
  { model: 'google/gemma-3-12b-it', gpu: 'A100-SXM4-40GB', gpuCount: 2, precision: 'bf16' },
  { model: 'gpt-4o-2024-08-06' },
  { model: 'acme-large', gpu: 'MI300X' }
]
const CALLS: Pick<Told, 'inUncached' | 'inCacheRead' | 'out'>[] = [
  { inUncached: 250, inCacheRead: 0, out: 400 },
  { inUncached: 12_000, inCacheRead: 90_000, out: 30 },
  { inUncached: null, inCacheRead: 3000, out: 900 },
  { inUncached: null, inCacheRead: null, out: 60 },
  { inUncached: 0, inCacheRead: 0, out: 8 }
]

/** Every deployment with every call, batch and latency. */
const REQUESTS: Told[] = DEPLOYMENTS.flatMap((deployment) =>
  CALLS.flatMap((call) =>
    [null, 0.5, 7, 250].flatMap((concurrency) =>
      [null, 0.05, 9, 31, 4000].map((interTokenMs) => ({
        ...deployment,
        ...call,
        concurrency,
        interTokenMs,
        engineYear: 2026
      }))
    )
  )
)

test('a block comes to what the formulas say, whatever of batch and latency is known', () => {
  let inferred = 0
  for (const request of REQUESTS) {
    const { joules, concurrency: batch } = estimateEnergy(request)
    const expected = plain(request)
    for (const [name, actual] of Object.entries({ ...joules, batch })) {
      const known = expected[name as keyof typeof expected]
      // The difference in place of the derivative leaves some 1e-9.
      const isNear = Math.abs(actual / known - 1) <= 1e-7
      assert.ok(isNear, `${name} ${actual} for ${known}: ${JSON.stringify(request)}`)
    }
    if (request.concurrency === null && batch !== FACTORS.concurrency.median) inferred += 1
  }
  assert.ok(inferred >= 50, `${inferred} batches by latency`)
})
