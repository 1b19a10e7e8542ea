/** What each model is like for a tenant, over the last days: the two products side by side. */

export type Side = {
  calls: number
  refusalKnown: number
  refused: number
  judged: number
  valid: number
  scores: number
  scorePpm: number
  priced: number
  costPico: number
}

export type Sides = { day: number; byModel: Record<string, Side> }

/** Models remembered per tenant, and what a day leaves of the days before. */
const MODELS_MAX = 8
const DECAY_PER_DAY = 0.5
const PICO_PER_USD = 1e12
const PPM = 1_000_000

const emptySide = (): Side => ({
  calls: 0,
  refusalKnown: 0,
  refused: 0,
  judged: 0,
  valid: 0,
  scores: 0,
  scorePpm: 0,
  priced: 0,
  costPico: 0
})

/** The side of a model, aged to the day; the least used one makes room. */
export const sideOf = (sides: Sides, model: string, day: number): Side => {
  if (day > sides.day) age(sides, day)
  const known = sides.byModel[model]
  if (known !== undefined) return known
  const models = Object.entries(sides.byModel)
  if (models.length >= MODELS_MAX) {
    const [least] = models.sort((a, b) => a[1].calls - b[1].calls || (a[0] < b[0] ? -1 : 1))
    delete sides.byModel[least![0]]
  }
  return (sides.byModel[model] = emptySide())
}

const age = (sides: Sides, day: number): void => {
  const decay = DECAY_PER_DAY ** (day - sides.day)
  for (const side of Object.values(sides.byModel)) {
    for (const name of Object.keys(side) as (keyof Side)[]) side[name] *= decay
  }
  sides.day = day
}

export type Call = { refused: number; valid: number; costPico: number }

/** NaN is not reported. */
export const addCall = (side: Side, { refused, valid, costPico }: Call): void => {
  side.calls += 1
  if (!Number.isNaN(refused)) {
    side.refusalKnown += 1
    side.refused += refused
  }
  if (!Number.isNaN(valid)) {
    side.judged += 1
    side.valid += valid
  }
  if (Number.isNaN(costPico)) return
  side.priced += 1
  side.costPico += costPico
}

export const addScore = (side: Side, scorePpm: number): void => {
  side.scores += 1
  side.scorePpm += scorePpm
}

const share = (part: number, whole: number): number | null =>
  whole > 0 ? Math.round((1000 * part) / whole) / 10 : null

/** Cost of a call in pico-dollars; null when none was priced. */
export const costPerCall = ({ costPico, priced }: Side): number | null =>
  priced > 0 ? costPico / priced : null

export const sideFigures = (side: Side) => {
  const cost = costPerCall(side)
  return {
    refusal_pct: share(side.refused, side.refusalKnown),
    format_failure_pct: share(side.judged - side.valid, side.judged),
    score_mean: side.scores > 0 ? Math.round(side.scorePpm / side.scores) / PPM : null,
    usd_per_call: cost === null ? null : (cost / PICO_PER_USD).toFixed(6)
  }
}
