/** Estimated from half an hour, a correlation above this is chance. */
const PERSISTENCE_MAX = 0.6

/** Variance inflation of a mean over minutes that resemble their neighbours: (1+ρ)/(1−ρ). */
export const persistence = (series: readonly number[], centre: number): number => {
  let product = 0
  let square = 0
  for (const [index, value] of series.entries()) {
    square += (value - centre) ** 2
    if (index > 0) product += (value - centre) * (series[index - 1]! - centre)
  }
  const correlation = square > 0 ? Math.min(PERSISTENCE_MAX, Math.max(0, product / square)) : 0
  return (1 + correlation) / (1 - correlation)
}
