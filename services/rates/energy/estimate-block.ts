import { AT, DeploymentSheet, KNOWLEDGE } from './deployment-numbers.ts'
import { inferBatches, timedCalls, type TimedCalls } from './concurrency.ts'
import { exp, scaleByExp } from './exponential.ts'
import type { HalfWidth } from './factors.ts'
import { log } from './logarithm.ts'

export type Doubles = Float64Array<ArrayBuffer>

/** What estimates read of many calls, by columns; NaN = not known. */
export type CallColumns = {
  /** Null = steps that no model serves: they get no estimate. */
  deployments: readonly ({ numbers: Float64Array } | null)[]
  /** Which of `deployments` served each call. */
  deployment: Doubles
  uncached: Doubles
  cached: Doubles
  /** Calls whose output is not known get no estimate. */
  out: Doubles
  concurrency: Doubles
  interTokenMs: Doubles
}

/** Joules at the GPU boundary, NaN = no estimate, and the place of the tier in `TIERS`. */
export type EnergyColumns = {
  low: Doubles
  mid: Doubles
  high: Doubles
  tier: Int32Array<ArrayBuffer>
}

/** Mean context of decoding: the input plus this share of the output, since long calls linger. */
export const CONTEXT_OUTPUT_SHARE = 0.6
/** Energy of a cached against an uncached input token; only one measurement exists (0.37). */
export const CACHED_SHARE = 0.1
/** Prompt assumed when the input is not reported: the reference set's common chat prompt. */
export const INPUT_ASSUMED_TOKENS = 250

const squared = ({ below, above }: HalfWidth): HalfWidth => ({
  below: below * below,
  above: above * above
})
/** What an unreported prompt adds: chat prompts are short, documents are not. */
const UNREPORTED2 = squared({ below: 0.05, above: 0.25 })
/** Natural logarithms of 0.02 / 0.1 and 0.37 / 0.1: cache load alone, and the one measurement. */
const CACHED2 = squared({ below: 1.61, above: 1.31 })
/** Few prefill measurements are open: × 0.6 … × 2. */
const PREFILL2 = squared({ below: 0.51, above: 0.69 })
/** An observed latency outside a factor of four of the model's says more of queues than of energy. */
const LATENCY_LOG_MAX = Math.log(4)
/** Calls of a block: its columns lie in the processor's nearest memories. */
export const BLOCK_ROWS = 1024

const BOTH_KNOWN = KNOWLEDGE.indexOf('batch_and_latency')
// One place further ahead stands the same with a latency.
const BATCH_KNOWN = KNOWLEDGE.indexOf('batch')
const NOTHING_KNOWN = KNOWLEDGE.indexOf('neither')

/**
 * The arithmetic of estimates, a block of calls at a time and one step for the whole block: no object
 * and no function call is paid per call. Comparisons are such that NaN counts as not known.
 */
export class EstimateBlock implements EnergyColumns {
  readonly low: Doubles
  readonly mid: Doubles
  readonly high: Doubles
  readonly tier: Int32Array<ArrayBuffer>
  /** Central estimate by part, J. */
  readonly prefill: Doubles
  readonly cached: Doubles
  readonly decode: Doubles
  /** Mean running requests, given or inferred. */
  readonly batch: Doubles
  /** Square of what doubt about the batch adds to the interval. */
  readonly #blur2: Doubles
  readonly #context: Doubles
  /** Place in `KNOWLEDGE`. */
  readonly #knowledge: Uint8Array
  /** Where the figures of each call's deployment begin in the sheet. */
  readonly #place: Int32Array
  readonly #sheet = new DeploymentSheet()
  readonly #timed: TimedCalls
  /** Rows whose batch was given, the first `#givenCount` of them. */
  readonly #given: Int32Array
  #givenCount = 0
  /** What a step draws for the whole batch, by request and token, J. */
  readonly #shared: Doubles

  constructor(rows: number) {
    const column = (): Doubles => new Float64Array(rows)
    this.low = column()
    this.mid = column()
    this.high = column()
    this.tier = new Int32Array(rows)
    this.prefill = column()
    this.cached = column()
    this.decode = column()
    this.batch = column()
    this.#blur2 = column()
    this.#context = column()
    this.#knowledge = new Uint8Array(rows)
    this.#place = new Int32Array(rows)
    this.#timed = timedCalls(rows)
    this.#given = new Int32Array(rows)
    this.#shared = column()
  }

  /** Estimates `rows` calls from `from` on: results stand from 0 on, until the next block. */
  estimate(calls: CallColumns, from: number, rows: number): void {
    this.#readInput(calls, from, rows)
    this.#readBatch(calls, from, rows)
    this.#addDecode(calls, from, rows)
    this.#slow(calls, from)
    this.#spread(calls, from, rows)
  }

  /** Everything that follows from the tokens of a call alone. */
  #readInput({ deployments, deployment, ...calls }: CallColumns, from: number, rows: number): void {
    const numbers = this.#sheet.take(deployments)
    const place = this.#place
    const context = this.#context
    const { prefill, cached } = this
    for (let at = 0; at < rows; at += 1) {
      const row = from + at
      const n = this.#sheet.placeOf(deployment[row]!)
      place[at] = n
      const read = calls.cached[row]!
      const reused = read > 0 ? read : 0
      const told = calls.uncached[row]!
      const computed = told > 0 ? told : told === told || reused > 0 ? 0 : INPUT_ASSUMED_TOKENS
      const input = computed + reused
      const out = calls.out[row]!
      const perInput = numbers[n + AT.input]! + numbers[n + AT.attention]! * input
      prefill[at] = perInput * computed
      cached[at] = CACHED_SHARE * perInput * reused
      // An output below 0 counts as none; one that is not known stays so.
      context[at] = input + CONTEXT_OUTPUT_SHARE * (out < 0 ? 0 : out)
    }
  }

  /**
   * What is known of each batch, those that a latency tells, and what its requests share of a step.
   * Where nothing tells the batch it is the median's, whose doubt is in the interval of that knowledge.
   */
  #readBatch({ concurrency, interTokenMs }: CallColumns, from: number, rows: number): void {
    const { numbers } = this.#sheet
    const place = this.#place
    const context = this.#context
    const knowledge = this.#knowledge
    const shared = this.#shared
    const given = this.#given
    const timed = this.#timed
    const { batch } = this
    let givenCount = 0
    let count = 0
    for (let at = 0; at < rows; at += 1) {
      const n = place[at]!
      const told = concurrency[from + at]!
      const observed = interTokenMs[from + at]!
      const usable = observed > 0 ? numbers[n + AT.latencyUsable]! | 0 : 0
      if (told > 0) {
        knowledge[at] = BATCH_KNOWN - usable
        batch[at] = told > 1 ? told : 1
        given[givenCount] = at
        givenCount += 1
        continue
      }
      knowledge[at] = NOTHING_KNOWN - usable
      batch[at] = numbers[n + AT.median]!
      shared[at] = numbers[n + AT.medianShare]!
      // Written in any case, and kept where it counts: models come in no order that is foreseen.
      timed.rows[count] = at
      timed.observed[count] = observed
      const tokens = context[at]!
      const windowed = lesser(tokens, numbers[n + AT.windowTokens]!)
      timed.marginal[count] =
        numbers[n + AT.tokenMs]! +
        numbers[n + AT.contextMs]! * tokens +
        numbers[n + AT.windowMs]! * windowed
      count += usable
    }
    timed.count = count
    this.#givenCount = givenCount
    this.#blur2.fill(0, 0, rows)
    inferBatches({ numbers, place }, timed, { batch, variance: this.#blur2 })
    this.#shareSteps(timed.rows, count)
    this.#shareSteps(given, givenCount)
  }

  /** What a step draws by request, for the first `count` of some rows. */
  #shareSteps(rows: Int32Array, count: number): void {
    const { numbers } = this.#sheet
    const place = this.#place
    const shared = this.#shared
    const { batch } = this
    for (let index = 0; index < count; index += 1) {
      const at = rows[index]!
      const n = place[at]!
      const running = batch[at]!
      const experts = numbers[n + AT.experts]!
      const missed = experts === 0 ? 0 : experts * exp(running * numbers[n + AT.logMiss]!)
      shared[at] = (numbers[n + AT.step]! + experts - missed) / running
    }
  }

  #addDecode(calls: CallColumns, from: number, rows: number): void {
    const { numbers } = this.#sheet
    const place = this.#place
    const context = this.#context
    const blur2 = this.#blur2
    const shared = this.#shared
    const { decode } = this
    for (let at = 0; at < rows; at += 1) {
      const n = place[at]!
      const out = calls.out[from + at]!
      const tokens = context[at]!
      const windowed = lesser(tokens, numbers[n + AT.windowTokens]!)
      const all =
        shared[at]! +
        numbers[n + AT.token]! +
        numbers[n + AT.context]! * tokens +
        numbers[n + AT.window]! * windowed
      decode[at] = all * (out < 0 ? 0 : out)
      // Doubt about the batch matters as far as energy depends on it: by the shared part of a step.
      const share = shared[at]! / all
      blur2[at]! *= numbers[n + AT.blur2]! * share * share
    }
  }

  /** A step that took longer than the model says drew power for longer: part of the gap is energy. */
  #slow({ interTokenMs }: CallColumns, from: number): void {
    const { numbers } = this.#sheet
    const place = this.#place
    const knowledge = this.#knowledge
    const context = this.#context
    const { batch, decode } = this
    for (let index = 0; index < this.#givenCount; index += 1) {
      const at = this.#given[index]!
      if (knowledge[at] !== BOTH_KNOWN) continue
      const n = place[at]!
      const tokens = context[at]!
      const running = batch[at]!
      const experts = numbers[n + AT.expertsMs]!
      const missed = experts === 0 ? 0 : experts * exp(running * numbers[n + AT.logMiss]!)
      const windowed = lesser(tokens, numbers[n + AT.windowTokens]!)
      const marginal =
        numbers[n + AT.tokenMs]! +
        numbers[n + AT.contextMs]! * tokens +
        numbers[n + AT.windowMs]! * windowed
      const predicted = numbers[n + AT.stepMs]! + experts - missed + running * marginal
      const ratio = log(interTokenMs[from + at]! / predicted)
      const bound = ratio > LATENCY_LOG_MAX ? LATENCY_LOG_MAX : ratio
      decode[at]! *= exp(
        numbers[n + AT.latencyWeight]! * (bound < -LATENCY_LOG_MAX ? -LATENCY_LOG_MAX : bound)
      )
    }
  }

  /** Independent errors in log space add as squares; prefill and cache shares add their own doubt. */
  #spread(calls: CallColumns, from: number, rows: number): void {
    const { numbers } = this.#sheet
    const place = this.#place
    const knowledge = this.#knowledge
    const blur2 = this.#blur2
    const { low, mid, high, tier, prefill, cached, decode } = this
    for (let at = 0; at < rows; at += 1) {
      const n = place[at]!
      const sum = prefill[at]! + cached[at]! + decode[at]!
      mid[at] = sum
      if (!(sum > 0)) {
        low[at] = high[at] = sum
        tier[at] = sum === 0 ? numbers[n + AT.tierCode + knowledge[at]!]! : 0
        continue
      }
      tier[at] = numbers[n + AT.tierCode + knowledge[at]!]!
      const uncached = calls.uncached[from + at]!
      const reused = calls.cached[from + at]!
      const unreported = uncached !== uncached && reused !== reused ? 1 : 0
      const inverse = 1 / sum
      const prefillShare = prefill[at]! * inverse
      const cachedShare = cached[at]! * inverse
      const prefill2 = prefillShare * prefillShare
      const cached2 = cachedShare * cachedShare
      const below2 = PREFILL2.below * prefill2 + CACHED2.below * cached2
      const above2 = PREFILL2.above * prefill2 + CACHED2.above * cached2
      const known2 = blur2[at]!
      low[at] = -Math.sqrt(
        numbers[n + AT.below2 + knowledge[at]!]! + known2 + below2 + unreported * UNREPORTED2.below
      )
      high[at] = Math.sqrt(
        numbers[n + AT.above2 + knowledge[at]!]! + known2 + above2 + unreported * UNREPORTED2.above
      )
    }
    scaleByExp(low, mid, rows)
    scaleByExp(high, mid, rows)
  }
}

const lesser = (a: number, b: number): number => (a < b ? a : b)
