import { SETTINGS } from '../../services/signals/tokenizer-drift/settings.ts'
import signal from '../../services/signals/tokenizer-drift/signal.ts'
import type { Draft } from '../../services/signals/define.ts'
import type { GrainRow } from '../worlds/grain-rows.ts'
import { foldRows, ofAll, readJsonLines, type RealRow } from './real-rows.ts'

/** Texts counted by two tokenizers, by script; and recorded calls counted here and by their provider. */

const START_MS = Date.parse('2026-03-02T00:00:00Z')
const STEP_MS = 20_000
/** A typical drift below this, in parts, is none. */
const DRIFT_MIN = 0.02

/** A call's tokens as two count them. */
export type Counted = { model: string; script: string; local: number; reported: number }

/** Calls as rows of the signal, in their order. */
export const countedRows = (counted: readonly Counted[]): GrainRow[] =>
  counted.map(({ model, script, local, reported }, n) => ({
    provider: 'p',
    model,
    tokenizer: 't@1',
    script,
    conversation: `${n}`,
    local_out: local,
    reported_out: reported,
    time_ms: START_MS + n * STEP_MS
  }))

const medianOf = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

/**
 * Nats that the calls of a series hold at most: of a bet that knew beforehand how many of them lie
 * beyond no difference, against as many on either side. What holds fewer than are asked for can't be told.
 */
const natsMax = (own: readonly Counted[], truth: number): number => {
  const beyond = own.filter(({ local, reported }) =>
    truth > 0 ? reported / local > 1 + SETTINGS.driftMin : reported / local < 1 - SETTINGS.driftMin
  )
  const p = beyond.length / own.length
  const part = (share: number): number => (share > 0 ? share * Math.log(2 * share) : 0)
  return own.length * (part(p) + part(1 - p))
}

/** Models that drift, told with the right sign and an interval over the truth; others silent. */
const judge = (counted: readonly Counted[], callsMin: number) => {
  const tally = { drifts: 0, told: 0, covered: 0, none: 0, silent: 0, untoldNats: 0 }
  for (const key of new Set(counted.map(({ model, script }) => `${model} ${script}`))) {
    const own = counted.filter(({ model, script }) => `${model} ${script}` === key)
    if (own.length < callsMin) continue
    const truth = medianOf(own.map(({ local, reported }) => reported / local)) - 1
    const last: Draft | undefined = foldRows(signal, countedRows(own)).at(-1)
    if (Math.abs(truth) < DRIFT_MIN / 4) {
      tally.none += 1
      tally.silent += last === undefined ? 1 : 0
    }
    if (Math.abs(truth) < DRIFT_MIN) continue
    tally.drifts += 1
    if (last === undefined) {
      tally.untoldNats = Math.max(tally.untoldNats, natsMax(own, truth))
      continue
    }
    const [low, high] = [Number(last.after['drift_low_pct']), Number(last.after['drift_high_pct'])]
    tally.told += Math.sign(low + high) === Math.sign(truth) ? 1 : 0
    tally.covered += low <= 100 * truth && high >= 100 * truth ? 1 : 0
  }
  return tally
}

const realRow = (data: string, counted: readonly Counted[], callsMin: number): RealRow => {
  const { drifts, told, covered, none, silent, untoldNats } = judge(counted, callsMin)
  const untold =
    untoldNats > 0
      ? `; the others hold ${untoldNats.toFixed(1)} nats or fewer, ${SETTINGS.levelNats} are asked for`
      : ''
  return {
    data,
    signal: 'tokenizer-drift',
    told: `${ofAll(told, drifts)} with the right sign; interval over the median in ${covered}${untold}`,
    silent: ofAll(silent, none)
  }
}

/** A call of `billed-vs-local`: what was billed beside local counts by tokenizer. */
export type Call = {
  family: string
  model_resolved: string | null
  billed_out: number | null
  reasoning: number | null
  out_flags: string[]
  finish: string | null
  local_out: Record<string, number> | null
}

/** The tokenizer that stands for a family's own. */
export const TOKENIZERS: Readonly<Record<string, string>> = {
  anthropic: 'claude2',
  google: 'gemma3',
  gemini: 'gemma3',
  openai: 'o200k'
}
/** Calls of one model from which its typical ratio is known. */
const CALLS_MIN = 15

export const scoreBilledCounts = (): RealRow[] => {
  const calls = readJsonLines<Call>('billed-vs-local/calls.jsonl.gz').flatMap((call): Counted[] => {
    const { family, model_resolved: model, billed_out: reported } = call
    const local = call.local_out?.[TOKENIZERS[family] ?? ''] ?? 0
    // Output that is text and nothing else: other tokens are in no text.
    const isText = call.out_flags.length === 0 && !call.reasoning && !/tool/.test(call.finish ?? '')
    if (!isText || model === null || reported === null || local < 20) return []
    return [{ model, script: 'Latn', local, reported }]
  })
  return [realRow(`billed-vs-local, models with ${CALLS_MIN} calls or more`, calls, CALLS_MIN)]
}

type Paragraph = { lang: string; tokens: Record<string, number> }
const PAIRS = [
  ['o200k', 'cl100k'],
  ['o200k', 'gemma3'],
  ['cl100k', 'llama3_1']
] as const

export const scoreLanguages = (): RealRow[] => {
  const paragraphs = readJsonLines<Paragraph>('multilingual-tokens/udhr_paragraphs.jsonl.gz')
  return PAIRS.map(([local, reported]) => {
    const counted = paragraphs.flatMap(({ lang, tokens }): Counted[] =>
      (tokens[local] ?? 0) < 20
        ? []
        : [{ model: 'm', script: lang, local: tokens[local]!, reported: tokens[reported]! }]
    )
    return realRow(`declaration of human rights by language, ${local} for ${reported}`, counted, 20)
  })
}
