import type { Prediction } from './cross-validation.ts'

/** How good a set of estimates is. All shares are of rows. */
export type Score = {
  rows: number
  architectures: number
  /** Median and 90th percentile of |estimated / measured − 1|. */
  errorMedian: number
  errorP90: number
  within2x: number
  /** Median of estimated / measured. */
  bias: number
  /** Share of measured values inside [low, high]; null where the method gives no interval. */
  coverage: number | null
  /** Geometric mean of high / low. */
  spread: number | null
}

export type Weighted = { value: number; weight: number }

/** Quantile of weighted values: the first value at which the cumulated weight reaches the share. */
export const weightedQuantile = (values: readonly Weighted[], share: number): number => {
  const sorted = values.toSorted((a, b) => a.value - b.value)
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0)
  let cumulated = 0
  for (const { value, weight } of sorted) {
    cumulated += weight
    if (cumulated >= share * total) return value
  }
  return sorted.at(-1)?.value ?? 0
}

/** Quantile by linear interpolation between order statistics. */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const position = (sorted.length - 1) * share
  const low = Math.floor(position)
  const next = sorted[Math.min(low + 1, sorted.length - 1)] ?? 0
  return (sorted[low] ?? 0) + (position - low) * (next - (sorted[low] ?? 0))
}

const share = (flags: readonly boolean[]): number =>
  flags.filter(Boolean).length / Math.max(1, flags.length)

export const scoreOf = (predictions: readonly Prediction[]): Score => {
  const ratios = predictions.map(({ error }) => Math.exp(-error))
  const errors = ratios.map((ratio) => Math.abs(ratio - 1))
  const bounded = predictions.filter(({ low, high }) => high > low)
  const logSpread = bounded.reduce((sum, { low, high }) => sum + Math.log(high / low), 0)
  return {
    rows: predictions.length,
    architectures: new Set(predictions.map(({ row }) => row.architecture)).size,
    errorMedian: quantile(errors, 0.5),
    errorP90: quantile(errors, 0.9),
    within2x: share(predictions.map(({ error }) => Math.abs(error) <= Math.LN2)),
    bias: quantile(ratios, 0.5),
    coverage:
      bounded.length === 0
        ? null
        : share(
            bounded.map(({ low, mid, high, error }) => {
              const measured = mid * Math.exp(error)
              return measured >= low && measured <= high
            })
          ),
    spread: bounded.length === 0 ? null : Math.exp(logSpread / bounded.length)
  }
}
