import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { DATA, foldRows, readJsonLines } from '../../../infra/score/real-rows.ts'
import {
  countedRows,
  TOKENIZERS,
  type Call,
  type Counted
} from '../../../infra/score/real-tokens.ts'
import signal from './signal.ts'

/** How often the interval holds the truth, at sizes and drifts that no recording has. */

const SIZES = [20, 50, 100, 200, 500]
const REPEATS = 40

let seed = 20_261_001
const random = (): number => {
  seed = (seed * 48_271) % 2_147_483_647
  return seed / 2_147_483_647
}
const normal = (): number => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random())

const ONE_SERIES = { model: 'm', script: 'Latn' }
type Told = { told: number; covered: number; wrongSign: number; of: number }

/** Plays `REPEATS` series of each size; `typical` is their true drift, in parts. */
const play = (draw: () => Counted, typical: number): Told => {
  const result = { told: 0, covered: 0, wrongSign: 0, of: 0 }
  for (const size of SIZES) {
    for (let repeat = 0; repeat < REPEATS; repeat += 1) {
      const last = foldRows(signal, countedRows(Array.from({ length: size }, draw))).at(-1)
      result.of += 1
      if (last === undefined) continue
      const [low, high] = ['drift_low_pct', 'drift_high_pct'].map((name) =>
        Number(last.after[name])
      )
      result.told += 1
      // Figures have two decimals.
      result.covered += low! <= 100 * typical + 0.005 && high! >= 100 * typical - 0.005 ? 1 : 0
      result.wrongSign += Math.sign(low! + high!) === Math.sign(typical) ? 0 : 1
    }
  }
  return result
}

/** Calls of 20 to 1,100 tokens of which the provider counts others, give or take. */
const madeUp = (drift: number, spread: number) => (): Counted => {
  const l = Math.round(20 * Math.exp(4 * random()))
  const reported = Math.max(1, Math.round(l * (1 + drift) * Math.exp(spread * normal())))
  return { ...ONE_SERIES, local: l, reported }
}

const assertCovers = ({ told, covered, wrongSign }: Told, what: string): void => {
  assert.ok(covered >= 0.95 * told - 1, `${what}: ${covered} of ${told} intervals hold the truth`)
  assert.equal(wrongSign, 0, what)
}

test('made-up drifts: intervals hold the truth, no sign is wrong, none is told of where there is none', (t) => {
  for (const spread of [0.02, 0.1]) {
    assert.equal(play(madeUp(0, spread), 0).told, 0)
    for (const drift of [0.03, 0.1, -0.05, 0.35]) {
      const what = `drift ${drift}, spread ${spread}`
      const seen = play(madeUp(drift, spread), drift)
      t.diagnostic(`${what}: told ${seen.told} of ${seen.of}, interval holds ${seen.covered}`)
      assertCovers(seen, what)
      if (Math.abs(drift) >= 0.1) assert.ok(seen.told >= seen.of / 2, what)
    }
  }
})

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2
}

const isText = ({ out_flags: flags, reasoning, finish }: Call): boolean =>
  flags.length === 0 && !reasoning && !/tool/.test(finish ?? '')

/** Recorded calls of text alone, by who served. */
const recorded = (): Map<string, Counted[]> => {
  const pools = new Map<string, Counted[]>()
  for (const call of readJsonLines<Call>('billed-vs-local/calls.jsonl.gz').filter(isText)) {
    const { family, model_resolved: model, billed_out: r } = call
    const l = call.local_out?.[TOKENIZERS[family] ?? ''] ?? 0
    if (r === null || l < 20) continue
    for (const name of [family, `${family}/${model ?? 'unknown'}`])
      pools.set(name, [...(pools.get(name) ?? []), { ...ONE_SERIES, local: l, reported: r }])
  }
  return pools
}

const skip = existsSync(DATA) ? false : 'the recorded calls are not here'

test(
  'recorded calls drawn again: intervals hold the median of each model, Gemini is never told of',
  { skip },
  (t) => {
    for (const [name, pool] of recorded()) {
      // Of fewer there is no typical call to draw.
      if (pool.length < 8) continue
      const typical = median(pool.map(({ local, reported }) => reported / local)) - 1
      const seen = play(() => pool[Math.floor(random() * pool.length)]!, typical)
      t.diagnostic(`${name}: told ${seen.told} of ${seen.of}, interval holds ${seen.covered}`)
      if (typical === 0) assert.equal(seen.told, 0, name)
      else assertCovers(seen, name)
    }
  }
)
