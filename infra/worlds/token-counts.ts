import type { GrainRow } from './grain-rows.ts'
import { createRandom } from './random.ts'

/**
 * Calls of one model, tokenizer and script with a local and a reported count. Texts differ in how
 * they tokenise, conversations share their kind of text, and the mix of kinds follows the hour. In
 * some worlds the provider changes its tokenizer at a known minute.
 */

export type CountWorld = {
  name: string
  callsPerMinute: number
  /** Typical ratio of reported to local, spread between conversations and within one. */
  ratio: number
  spread: number
  within: number
  /** How far the typical ratio moves over the day with the mix of texts. */
  wave: number
}

export type CountChange = { minute: number; factor: number }

const MINUTES_PER_DAY = 1440

/** @param drifts whether the tokenizer is not the model's from the start. */
export const drawCountWorlds = (count: number, drifts: boolean, seed: number): CountWorld[] => {
  const random = createRandom(seed)
  return Array.from({ length: count }, (_, index) => ({
    name: `m${index}`,
    callsPerMinute: Math.min(60, Math.max(0.05, Math.exp(1.5 * random.normal()))),
    ratio: drifts ? 1.03 + 0.4 * random.uniform() : 1 + 0.004 * random.normal(),
    spread: drifts ? 0.02 + 0.08 * random.uniform() : 0.01 * random.uniform(),
    within: 0.01,
    wave: drifts ? 0.02 * random.uniform() : 0.003 * random.uniform()
  }))
}

export type CountRun = {
  world: CountWorld
  days: number
  change: CountChange | null
  seed: number
}

/** Rows of tokenizer-drift's grain, with counts of output alone, for each minute with calls. */
export const playCounts = (
  { world, days, change, seed }: CountRun,
  visit: (minute: number, rows: GrainRow[], meanRatio: number) => void
): void => {
  const random = createRandom(seed)
  for (let minute = 0; minute < days * MINUTES_PER_DAY; minute++) {
    const wave = Math.sin((2 * Math.PI * (minute % MINUTES_PER_DAY)) / MINUTES_PER_DAY)
    const talks = random.poisson((world.callsPerMinute / 2) * Math.exp(0.6 * wave))
    if (talks === 0) continue
    const rows: GrainRow[] = []
    let ratios = 0
    for (let talk = 0; talk < talks; talk++) {
      const own = Math.log(world.ratio) + world.wave * wave + world.spread * random.normal()
      const calls = random.geometric(0.5)
      for (let call = 0; call < calls; call++) {
        const l = Math.ceil(Math.exp(5.3 + 0.8 * random.normal())) + 20
        const factor = change !== null && minute >= change.minute ? change.factor : 1
        const r = Math.max(
          1,
          Math.round(l * factor * Math.exp(own + world.within * random.normal()))
        )
        ratios += r / l
        rows.push(row(world, { l, r, conversation: `${talk}` }))
      }
    }
    visit(minute, rows, ratios / rows.length)
  }
}

const row = (
  { name }: CountWorld,
  { l, r, conversation }: { l: number; r: number; conversation: string }
): GrainRow => ({
  provider: 'p',
  model: name,
  tokenizer: 't@1',
  script: 'Latn',
  conversation,
  local_out: l,
  reported_out: r
})
