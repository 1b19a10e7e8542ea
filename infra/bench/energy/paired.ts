/** One run of a pass, with energy or without: CPU seconds of the process, all of its threads. */
export type Pass = (withEnergy: boolean) => Promise<number>

/** CPU seconds of a pair of runs that follow each other, with energy and without. */
export type Spent = { bare: number; whole: number }

/** What energy adds, as a share of CPU, and a 95 % interval of it. */
export type Added = { share: number; low: number; high: number }

/** Pairs that compile, load and fill caches, and count for nothing. */
const PAIRS_WARM = 3

/**
 * Runs a pass in pairs, now one side first and now the other: what else runs on the machine, and what
 * drifts, falls on both alike.
 */
export const runPairs = async (
  pass: Pass,
  pairs: number,
  onPair: (spent: Spent) => void
): Promise<Spent[]> => {
  const measured: Spent[] = []
  for (let pair = -PAIRS_WARM; pair < pairs; pair += 1) {
    const spent = { bare: 0, whole: 0 }
    const isWholeFirst = pair % 2 === 0
    for (const withEnergy of [isWholeFirst, !isWholeFirst]) {
      spent[withEnergy ? 'whole' : 'bare'] = await pass(withEnergy)
    }
    if (pair < 0) continue
    onPair(spent)
    measured.push(spent)
  }
  return measured
}

const US_PER_S = 1_000_000

/** CPU seconds of the whole process that some work takes: those of DuckDB's threads are among them. */
export const cpuSeconds = async (work: () => Promise<unknown>): Promise<number> => {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / US_PER_S
}

/** The 97.5th percentile of a normal deviate. */
const NORMAL_P97_5 = 1.96

/**
 * What energy adds: the median of the means of all two pairs (Hodges and Lehmann, 1963), with the
 * interval that the signed-rank test gives. Outliers move it as little as they move a median, and it
 * needs two thirds of the pairs for the same width. Nothing is left out.
 */
export const addedShare = (pairs: readonly Spent[]): Added => {
  const logs = pairs.map(({ bare, whole }) => Math.log(whole / bare))
  const means = logs
    .flatMap((a, at) => logs.slice(at).map((b) => (a + b) / 2))
    .sort((a, b) => a - b)
  const n = logs.length
  const deviation = Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24)
  const outside = Math.max(0, Math.floor(means.length / 2 - NORMAL_P97_5 * deviation))
  const share = (at: number): number => Math.expm1(means[at] ?? Number.NaN)
  const half = (means.length - 1) / 2
  return {
    share: Math.expm1((means[Math.floor(half)]! + means[Math.ceil(half)]!) / 2),
    low: share(outside),
    high: share(means.length - 1 - outside)
  }
}
