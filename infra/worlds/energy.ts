import { joulesOf } from '../../services/signals/token-energy/profile.ts'
import type { GrainRow } from './grain-rows.ts'
import { createRandom, type Random } from './random.ts'

/**
 * Tenants whose model calls take energy: two deployments each, batches that follow the hour, a
 * cache that wanders, lengths that drift from day to day. In one of them something truly changes.
 */

export const CHANGES = ['tier', 'batch', 'cache'] as const
/** What makes work more, on all deployments or on the larger alone: none of it is a fault. */
export type EnergyMove = (typeof CHANGES)[number] | 'outputs' | 'prompts' | 'large-outputs'
export type EnergyChange = {
  kind: (typeof CHANGES)[number]
  minute: number
}
/** Several at once, in the same minute. */
export type EnergyMoves = { moves: readonly EnergyMove[]; minute: number }

export type EnergyTenant = {
  name: string
  callsPerMinute: number
  /** Share of calls on the larger deployment, and how far it wanders from hour to hour. */
  largeShare: number
  mixNoise: number
  batch: number
  batchSwing: number
  cachedShare: number
  cacheNoise: number
  input: number
  output: number
  lengthDrift: number
}

const SMALL = { model: 'Llama-3.1-8B-Instruct', gpu: 'H100', precision: 'bf16', n_gpus: '1' }
const LARGE = { model: 'Llama-3.1-405B-Instruct', gpu: 'H100', precision: 'fp8', n_gpus: '8' }
const MINUTES_PER_DAY = 1440

export const drawEnergyTenants = (count: number, seed: number): EnergyTenant[] => {
  const random = createRandom(seed)
  const between = (low: number, high: number): number => low + (high - low) * random.uniform()
  return Array.from({ length: count }, (_, index) => ({
    name: `t${index}`,
    callsPerMinute: Math.min(60, Math.max(0.1, 3 * Math.exp(1.5 * random.normal()))),
    largeShare: between(0, 0.2),
    mixNoise: between(0, 0.3),
    batch: Math.exp(between(Math.log(16), Math.log(128))),
    batchSwing: between(0, 0.5),
    cachedShare: between(0.3, 0.75),
    cacheNoise: between(0, 0.3),
    input: Math.exp(between(Math.log(300), Math.log(10_000))),
    output: Math.exp(between(Math.log(100), Math.log(800))),
    lengthDrift: between(0, 0.1)
  }))
}

export type EnergyRun = {
  tenant: EnergyTenant
  days: number
  change: EnergyChange | EnergyMoves | null
  seed: number
  /** Whether calls carry joules of their own, as landing writes them; else minutes are estimated. */
  isRecorded?: boolean
}

type State = { mix: number; cache: number; length: number }

/** Rows of token-energy's grain for each minute with calls. */
export const playEnergy = (
  { tenant, days, change, seed, isRecorded = false }: EnergyRun,
  visit: (minute: number, rows: GrainRow[]) => void
): void => {
  const random = createRandom(seed)
  const state: State = { mix: 0, cache: 0, length: 0 }
  for (let minute = 0; minute < days * MINUTES_PER_DAY; minute++) {
    wander(tenant, state, random, minute)
    const wave = Math.cos((2 * Math.PI * (minute % MINUTES_PER_DAY)) / MINUTES_PER_DAY)
    const calls = random.poisson(tenant.callsPerMinute * Math.exp(0.7 * wave))
    if (calls === 0) continue
    const moves = change !== null && minute >= change.minute ? movesOf(change) : NOTHING
    visit(minute, minuteRows({ tenant, state, random, calls, wave, moves, isRecorded }))
  }
}

const NOTHING: ReadonlySet<EnergyMove> = new Set()

const movesOf = (change: EnergyChange | EnergyMoves): ReadonlySet<EnergyMove> =>
  new Set('moves' in change ? change.moves : [change.kind])

const wander = (tenant: EnergyTenant, state: State, random: Random, minute: number): void => {
  if (minute % MINUTES_PER_DAY === 0) state.length += tenant.lengthDrift * random.normal()
  if (minute % 60 === 0) state.mix = tenant.mixNoise * random.normal()
  state.cache = 0.95 * state.cache + 0.3 * tenant.cacheNoise * random.normal()
}

type Scene = {
  tenant: EnergyTenant
  state: State
  random: Random
  calls: number
  wave: number
  moves: ReadonlySet<EnergyMove>
  isRecorded: boolean
}

const logit = (share: number): number => Math.log(share / (1 - share))
const expit = (value: number): number => 1 / (1 + Math.exp(-value))

const minuteRows = (scene: Scene): GrainRow[] => {
  const { tenant, state, random, calls, moves } = scene
  const usual = expit(logit(Math.max(0.005, tenant.largeShare)) + state.mix)
  const largeShare = moves.has('tier') ? Math.max(0.6, usual) : usual
  let large = 0
  for (let call = 0; call < calls; call++) if (random.uniform() < largeShare) large += 1
  return [
    ...(calls > large ? [callsRow(scene, SMALL, calls - large)] : []),
    ...(large > 0 ? [callsRow(scene, LARGE, large)] : [])
  ]
}

/** A loss of the cache: 71 to 18 % of what it was; a collapse of batches: a sixth. */
const CACHE_FACTOR = 18 / 71
const BATCH_DIVISOR = 6

/** Times the energy that a loss of the cache costs a tenant, at its usual mix, lengths and batches. */
export const lossFactor = ({ largeShare, cachedShare, batch, input, output }: EnergyTenant) => {
  const joules = (share: number): number =>
    [SMALL, LARGE].reduce((sum, { model, gpu, precision, n_gpus: gpus }, index) => {
      const deployment = { model, gpu, precision, gpuCount: Number(gpus) }
      // Means of the log-normal lengths that calls are drawn with.
      const work = { input: input * 1.38, out: output * 1.2, cachedShare: 0.95 * share }
      const each = joulesOf(deployment, { concurrency: batch, interTokenMs: null }, work)
      return sum + (index === 0 ? 1 - largeShare : largeShare) * each
    }, 0)
  return joules(CACHE_FACTOR * cachedShare) / joules(cachedShare)
}

/** How much longer outputs and prompts become. */
const OUTPUTS_FACTOR = 4
const PROMPTS_FACTOR = 3

const callsRow = (
  { tenant, state, random, wave, moves, isRecorded }: Scene,
  deployment: typeof SMALL,
  n: number
): GrainRow => {
  const day = tenant.batch * Math.exp(tenant.batchSwing * wave + 0.1 * random.normal())
  const batch = Math.max(1, moves.has('batch') ? day / BATCH_DIVISOR : day)
  const usual = expit(logit(tenant.cachedShare) + state.cache)
  const share = moves.has('cache') ? usual * CACHE_FACTOR : usual
  const isLong = moves.has('outputs') || (moves.has('large-outputs') && deployment === LARGE)
  const typicalOut = tenant.output * (isLong ? OUTPUTS_FACTOR : 1)
  const typicalIn = tenant.input * (moves.has('prompts') ? PROMPTS_FACTOR : 1)
  const row = { n, out: 0, uncached: 0, cached: 0, squares: 0 }
  let joules = 0
  for (let call = 0; call < n; call++) {
    const input = Math.ceil(typicalIn * Math.exp(state.length + 0.8 * random.normal()))
    const out = Math.ceil(typicalOut * Math.exp(0.6 * random.normal()))
    const cached = random.uniform() < share ? Math.floor(input * 0.95) : 0
    row.out += out
    row.cached += cached
    row.uncached += input - cached
    row.squares += (input + out) ** 2
    if (isRecorded) joules += recordedJoules(deployment, batch, { input, out, cached })
  }
  return {
    tenant: tenant.name,
    ...deployment,
    ...row,
    out_per_batch: row.out / batch,
    out_with_batch: row.out,
    ...(isRecorded ? { joules, joules_n: n } : { joules_n: 0 })
  }
}

/** One object each, so that their figures are found once. */
const KNOWN = new Map(
  [SMALL, LARGE].map((one) => {
    const { model, gpu, precision, n_gpus: gpus } = one
    return [one, { model, gpu, precision, gpuCount: Number(gpus) }] as const
  })
)

type Call = { input: number; out: number; cached: number }

const recordedJoules = (deployment: typeof SMALL, batch: number, call: Call): number => {
  const work = { input: call.input, out: call.out, cachedShare: call.cached / call.input }
  return joulesOf(KNOWN.get(deployment)!, { concurrency: batch, interTokenMs: null }, work)
}
