import { deploymentFigures, type DeploymentFigures } from '../../rates/energy/deployment-figures.ts'
import { emptyEnergy, estimateCall } from '../../rates/energy/estimate.ts'
import { DROPS } from '../statistics/rate-record.ts'
import { layout } from '../statistics/records.ts'

/** What one tenant does on one deployment: its work, how it was batched, and its energy. */

export type Deployment = {
  model: string | null
  gpu: string | null
  precision: string | null
  gpuCount: number | null
}

/** Sums over calls, in the order in which records keep them. */
export const SUMS = [
  'n',
  'out',
  'uncached',
  'cached',
  'out_per_batch',
  'out_with_batch',
  'decode_ms',
  'decode_tokens',
  'cost_pico'
] as const
export type Sums = Record<(typeof SUMS)[number], number>

/** By the place of each in `SUMS`; written out, since to fill an object name by name is slow. */
export const sumsFrom = (read: (index: number) => number): Sums => ({
  n: read(0),
  out: read(1),
  uncached: read(2),
  cached: read(3),
  out_per_batch: read(4),
  out_with_batch: read(5),
  decode_ms: read(6),
  decode_tokens: read(7),
  cost_pico: read(8)
})

/** Both watches of a tenant, and the drops that each bets on. */
export const WATCHES = ['ways', 'tier'] as const

const doubles = layout({
  lastMs: 1,
  /** Decayed sums of minutes in which nothing was suspected. */
  usual: SUMS.length,
  total: SUMS.length,
  /** Totals when the evidence of each drop last left zero, per watch. */
  restarts: SUMS.length * DROPS.length * WATCHES.length
})
export const P = doubles.at
export const PROFILE_SHAPE = { doubles: doubles.length, floats: 0, bytes: 0 }

/** How calls were batched: by given concurrency, else by the time between tokens. */
export type Batch = { concurrency: number | null; interTokenMs: number | null }

/** A batch is known when it was given for this share of the output. */
const KNOWN_SHARE = 0.5

export const restartAt = (watch: number, drop: number): number =>
  P.restarts + (watch * DROPS.length + drop) * SUMS.length

export const batchOf = (sums: Sums): Batch => {
  const isGiven = sums.out_with_batch > KNOWN_SHARE * sums.out && sums.out_per_batch > 0
  if (isGiven) return { concurrency: sums.out_with_batch / sums.out_per_batch, interTokenMs: null }
  const isTimed = sums.decode_tokens > KNOWN_SHARE * sums.out && sums.decode_ms > 0
  return { concurrency: null, interTokenMs: isTimed ? sums.decode_ms / sums.decode_tokens : null }
}

/** Work of one typical call, in tokens. */
export type Work = { input: number; cachedShare: number; out: number }

export const workOf = ({ n, out, uncached, cached }: Sums): Work => {
  const input = uncached + cached
  return { input: input / n, cachedShare: input > 0 ? cached / input : 0, out: out / n }
}

/** Finding a model and its figures takes fifty times as long as an estimate with them. */
const figures = new WeakMap<Deployment, DeploymentFigures>()

export const figuresOf = (deployment: Deployment): DeploymentFigures => {
  const known = figures.get(deployment)
  if (known !== undefined) return known
  const found = deploymentFigures(deployment)
  figures.set(deployment, found)
  return found
}

const scratch = emptyEnergy()

/** Estimated joules of one such call on a deployment. */
export const joulesOf = (deployment: Deployment, batch: Batch, work: Work): number => {
  const inputs = {
    uncached: work.input * (1 - work.cachedShare),
    cached: work.input * work.cachedShare,
    out: work.out,
    concurrency: batch.concurrency ?? Number.NaN,
    interTokenMs: batch.interTokenMs ?? Number.NaN
  }
  const { prefill, cached, decode } = estimateCall(figuresOf(deployment), inputs, scratch)
  return prefill + cached + decode
}
