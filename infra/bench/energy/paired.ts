import { createRandom } from '../../worlds/random.ts'

/** One run of a pass, with energy or without: CPU seconds of the process, all of its threads. */
export type Pass = (withEnergy: boolean) => Promise<number>

/** CPU seconds of a few runs of a pass, with energy and without. */
export type Spent = { bare: number; whole: number }

/** What energy adds, as a share of CPU: the median over rounds, and a 95 % interval of it. */
export type Added = { median: number; low: number; high: number }

/** Order of a round: what else runs on the machine, and what drifts, falls on both alike. */
const ROUND = [false, true, true, false]
const ROUNDS_WARM = 1

/** Runs a pass in rounds; the first ones compile, load and fill caches, and count for nothing. */
export const runRounds = async (
  pass: Pass,
  rounds: number,
  onRound: (spent: Spent) => void
): Promise<Spent[]> => {
  const measured: Spent[] = []
  for (let round = -ROUNDS_WARM; round < rounds; round += 1) {
    const spent = { bare: 0, whole: 0 }
    for (const withEnergy of ROUND) spent[withEnergy ? 'whole' : 'bare'] += await pass(withEnergy)
    if (round < 0) continue
    onRound(spent)
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

const DRAWS = 4000
const SEED = 23

/** Median share that energy adds, with the percentile interval of a bootstrap over rounds. */
export const addedShare = (rounds: readonly Spent[]): Added => {
  const shares = rounds.map(({ bare, whole }) => whole / bare - 1)
  const random = createRandom(SEED)
  const medians = Array.from({ length: DRAWS }, () =>
    middle(shares.map(() => shares[random.integer(0, shares.length)]!))
  ).sort((a, b) => a - b)
  const at = (share: number): number => medians[Math.floor(share * (DRAWS - 1))]!
  return { median: middle(shares), low: at(0.025), high: at(0.975) }
}

const middle = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const half = (sorted.length - 1) / 2
  return (sorted[Math.floor(half)]! + sorted[Math.ceil(half)]!) / 2
}
