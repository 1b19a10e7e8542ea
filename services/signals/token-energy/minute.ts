import type { Usual } from './cause.ts'
import type { Pricing } from './pricing.ts'
import { batchOf, workOf, type Deployment, type Sums } from './profile.ts'
import type { Energy } from './season.ts'

/** What a tenant's calls of a minute spent, against what they would take in the tenant's usual ways. */

/** Calls on one deployment. */
export type Calls = {
  /** Of the deployment's profile. */
  slot: number
  deployment: Deployment
  sums: Sums
  /** As recorded, J; null unless every call has them. */
  recorded: number | null
  squares: number
}

/** A minute's joules, and how much single calls weigh in them: Σ tokens² / (Σ tokens)². */
export type MinuteEnergy = Energy & { kappa: number }

/** The minute as each watch sees it: spent against usual ways, and the mix against the usual one. */
export const minutesOf = (
  pricing: Pricing,
  used: readonly Usual[],
  calls: readonly Calls[]
): MinuteEnergy[] => {
  const asked = askFor(pricing, used, calls)
  pricing.estimate()
  const sum = emptySum()
  for (let i = 0; i < calls.length; i++) addCalls(sum, pricing, calls[i]!, asked.calls[i]!)
  const mix = mixJoules(pricing, used, asked)
  const { tokens, squares, ways, recorded, ...shared } = sum
  return [
    { ...shared, kappa: squares / (tokens * tokens), spent: recorded, expected: ways },
    // There a call counts as any other, however long.
    { ...shared, kappa: 1 / sum.n, ...(mix ?? { spent: ways, expected: ways }) }
  ]
}

/** Calls at which a deployment's own cached share weighs as much as the tenant's. */
const SHRINK_CALLS = 20

type Lengths = { input: number; out: number; cachedShare: number }

/** A typical call of the tenant, all deployments together; null where it has none yet. */
const lengthsOf = (used: readonly Usual[]): Lengths | null => {
  let [n, out, cached, input] = [0, 0, 0, 0]
  for (const { usual } of used) {
    n += usual.n
    out += usual.out
    cached += usual.cached
    input += usual.cached + usual.uncached
  }
  return n === 0
    ? null
    : { input: input / n, out: out / n, cachedShare: input > 0 ? cached / input : 0 }
}

/** The cached share of a deployment's usual work: a few calls all hit, or none, say little. */
const shrunkShare = (usual: Sums, overall: number): number =>
  (usual.n * workOf(usual).cachedShare + SHRINK_CALLS * overall) / (usual.n + SHRINK_CALLS)

/** Where the prices of calls stand; −1 where none was asked for. */
type AskedCalls = { n: number; asTheyAre: number; usualWays: number; usualLengths: number }

/** And of a call of the tenant's usual lengths on each deployment that it uses, in its usual ways. */
type Asked = { calls: AskedCalls[]; used: number[]; overall: Lengths | null }

const NOT_ASKED = -1

const askFor = (pricing: Pricing, used: readonly Usual[], calls: readonly Calls[]): Asked => {
  const overall = lengthsOf(used)
  pricing.clear()
  const prices = used.map(({ deployment, usual }) =>
    overall === null || usual.n === 0
      ? NOT_ASKED
      : pricing.ask(deployment, batchOf(usual), {
          ...overall,
          cachedShare: shrunkShare(usual, overall.cachedShare)
        })
  )
  return {
    overall,
    used: prices,
    calls: calls.map((one) => {
      const own = used.findIndex(({ deployment }) => deployment === one.deployment)
      const usual = used[own]?.usual
      return overall === null || usual === undefined || usual.n === 0
        ? askForNew(pricing, one, overall)
        : askForKnown(pricing, one, { usual, price: prices[own]!, overall })
    })
  }
}

/** On what is new to a tenant the ways of now are the only ones known. */
const askForNew = (
  pricing: Pricing,
  { deployment, sums }: Calls,
  overall: Lengths | null
): AskedCalls => {
  const batch = batchOf(sums)
  const asTheyAre = pricing.ask(deployment, batch, workOf(sums))
  const usualLengths = overall === null ? NOT_ASKED : pricing.ask(deployment, batch, overall)
  return { n: sums.n, asTheyAre, usualWays: asTheyAre, usualLengths }
}

type Known = { usual: Sums; price: number; overall: Lengths }

const askForKnown = (
  pricing: Pricing,
  { deployment, sums, recorded }: Calls,
  { usual, price, overall }: Known
): AskedCalls => {
  const work = workOf(sums)
  const asTheyAre = recorded === null ? pricing.ask(deployment, batchOf(sums), work) : NOT_ASKED
  const cachedShare = shrunkShare(usual, overall.cachedShare)
  const usualWays = pricing.ask(deployment, batchOf(usual), { ...work, cachedShare })
  return { n: sums.n, asTheyAre, usualWays, usualLengths: price }
}

const emptySum = () => ({
  n: 0,
  tokens: 0,
  squares: 0,
  recorded: 0,
  ways: 0,
  out_with_batch: 0,
  out_per_batch: 0,
  decode_tokens: 0,
  decode_ms: 0
})

const addCalls = (
  sum: ReturnType<typeof emptySum>,
  pricing: Pricing,
  { sums, recorded, squares }: Calls,
  asked: AskedCalls
): void => {
  sum.n += sums.n
  sum.tokens += sums.uncached + sums.cached + sums.out
  sum.squares += squares
  sum.recorded += recorded ?? sums.n * pricing.joules(asked.asTheyAre)
  sum.ways += sums.n * pricing.joules(asked.usualWays)
  sum.out_with_batch += sums.out_with_batch
  sum.out_per_batch += sums.out_per_batch
  sum.decode_tokens += sums.decode_tokens
  sum.decode_ms += sums.decode_ms
}

/**
 * Joules of calls on their deployments and on the usual mix of them, each call of the tenant's usual
 * lengths in its deployment's usual ways: what some calls grow by is work, and moves no call.
 */
const mixJoules = (
  pricing: Pricing,
  used: readonly Usual[],
  asked: Asked
): { spent: number; expected: number } | null => {
  if (asked.overall === null) return null
  const calls = used.reduce((sum, { usual }) => sum + usual.n, 0)
  let [mix, spent, n] = [0, 0, 0]
  for (const [index, { usual }] of used.entries()) {
    const price = asked.used[index]!
    if (price !== NOT_ASKED) mix += (usual.n / calls) * pricing.joules(price)
  }
  for (const one of asked.calls) {
    spent += one.n * pricing.joules(one.usualLengths)
    n += one.n
  }
  return { spent, expected: n * mix }
}
