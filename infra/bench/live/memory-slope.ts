/** Memory over time, and the line through it. */

export type MemorySample = { atS: number; mib: number }

const SECONDS_PER_HOUR = 3600
/** Two-sided 95 % of the normal distribution: there are hundreds of samples. */
const Z_95 = 1.96
/** A line and its error need a few points. */
const SAMPLES_MIN = 10

/**
 * Least squares, MiB an hour, with the half-width of its 95 % interval. Neighbouring samples go up
 * and down together, so the error counts as many samples as are left when their correlation is
 * taken off.
 */
export const memorySlope = (
  samples: readonly MemorySample[]
): { mibPerHour: number; plusMinus: number } | null => {
  if (samples.length < SAMPLES_MIN) return null
  const mean = (of: (sample: MemorySample) => number): number =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length
  const [x, y] = [mean(({ atS }) => atS), mean(({ mib }) => mib)]
  const spread = samples.reduce((sum, { atS }) => sum + (atS - x) ** 2, 0)
  const slope = samples.reduce((sum, { atS, mib }) => sum + (atS - x) * (mib - y), 0) / spread
  const rests = samples.map(({ atS, mib }) => mib - y - slope * (atS - x))
  const variance = rests.reduce((sum, rest) => sum + rest ** 2, 0) / (samples.length - 2)
  const error = Math.sqrt((variance / spread) * inflation(rests))
  const perHour = (value: number): number => Math.round(value * SECONDS_PER_HOUR * 10) / 10
  return { mibPerHour: perHour(slope), plusMinus: perHour(Z_95 * error) }
}

/**
 * The least of each stretch of time: what a process holds when nothing is under way. Work comes and
 * goes by the hundred MiB, and what is never given back shows below it long before it shows above.
 */
export const floorsOf = (samples: readonly MemorySample[], stretchS: number): MemorySample[] => {
  const floors = new Map<number, MemorySample>()
  for (const sample of samples) {
    const stretch = Math.floor(sample.atS / stretchS)
    const known = floors.get(stretch)
    if (known === undefined || sample.mib < known.mib) floors.set(stretch, sample)
  }
  return [...floors.values()]
}

/** How many samples count as one, by the correlation of each with the next. */
const inflation = (rests: readonly number[]): number => {
  const all = rests.reduce((sum, rest) => sum + rest ** 2, 0)
  if (all === 0) return 1
  const pairs = rests.slice(1).reduce((sum, rest, index) => sum + rest * rests[index]!, 0)
  const correlation = Math.min(0.99, Math.max(0, pairs / all))
  return (1 + correlation) / (1 - correlation)
}
