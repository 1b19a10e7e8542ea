import { METHOD_VERSION } from '../../services/rates/energy/estimate.ts'
import type { EnergyFactors } from '../../services/rates/energy/factors.ts'
import type { Prediction } from './cross-validation.ts'
import { scoreOf, type Score } from './score.ts'

/** Writes infra/ENERGY.md from results; nothing on the page is typed by hand but its prose. */
export type PageInput = {
  factors: EnergyFactors
  /** Held-out results by what the estimator was told, in the order of the page. */
  sections: readonly { title: string; predictions: readonly Prediction[] }[]
  /** The same rows by EcoLogits. */
  rival: readonly Prediction[]
  /** The section whose rows are broken down. */
  detail: readonly Prediction[]
  command: string
}

const percent = (value: number | null, digits = 1): string =>
  value === null ? '–' : `${(value * 100).toFixed(digits)} %`

const scoreCells = (score: Score): string =>
  [
    score.rows,
    percent(score.errorMedian),
    percent(score.errorP90),
    percent(score.within2x),
    `×${score.bias.toFixed(2)}`,
    percent(score.coverage),
    score.spread === null ? '–' : score.spread.toFixed(1)
  ].join(' | ')

const HEADER = [
  '| told | rows | median error | p90 | within ×2 | bias | 80 % interval covers | high / low |',
  '|---|---:|---:|---:|---:|---:|---:|---:|'
].join('\n')

const table = (rows: readonly (readonly [string, readonly Prediction[]])[]): string =>
  [
    HEADER,
    ...rows.map(([title, predictions]) => `| ${title} | ${scoreCells(scoreOf(predictions))} |`)
  ].join('\n')

const groups = (
  predictions: readonly Prediction[],
  keyOf: (prediction: Prediction) => string
): [string, Prediction[]][] => {
  const byKey = new Map<string, Prediction[]>()
  for (const prediction of predictions) {
    const key = keyOf(prediction)
    byKey.set(key, [...(byKey.get(key) ?? []), prediction])
  }
  return [...byKey].toSorted(([a], [b]) => (a < b ? -1 : 1))
}

const batchBand = ({ row }: Prediction): string => {
  if (row.concurrency < 20) return 'batch below 20'
  return row.concurrency < 100 ? 'batch 20 to 100' : 'batch from 100'
}

const breakdown = (predictions: readonly Prediction[]): string =>
  table([
    ...groups(predictions, ({ row }) => row.gpu),
    ...groups(predictions, ({ row }) =>
      row.activeB < row.totalB * 0.99 ? 'mixture of experts' : 'dense'
    ),
    ...groups(predictions, batchBand),
    ...groups(predictions, ({ row }) => row.precision),
    ...groups(predictions, ({ row }) => row.source)
  ]).replace('| told |', '| part |')

const byArchitecture = (predictions: readonly Prediction[]): string =>
  table(groups(predictions, ({ row }) => row.architecture)).replace('| told |', '| held out |')

const coefficients = ({ energy, latency }: EnergyFactors): string => {
  const names = Object.keys(energy) as (keyof typeof energy)[]
  const cell = (value: unknown): string => (typeof value === 'number' ? value.toFixed(3) : '')
  const lines = names
    .filter((name) => typeof energy[name] === 'number')
    .map((name) => `| ${name} | ${cell(energy[name])} | ${cell(latency[name])} |`)
  const nested = (['gpu', 'precision'] as const).flatMap((group) =>
    Object.keys(energy[group]).map(
      (name) =>
        `| ${group} ${name} (ln) | ${cell(energy[group][name])} | ${cell(latency[group][name])} |`
    )
  )
  return ['| coefficient | energy | latency |', '|---|---:|---:|', ...lines, ...nested].join('\n')
}

const MODEL_PROSE = `A step of the serving engine costs GPU seconds, at full board power for energy:

- weights once for the batch: parameters that every token uses, and the routed experts times the
  share of them that a batch reads, \`1 − (1 − k/N)^B\`;
- per layer a fixed cost, more with several GPUs and with routing;
- per request arithmetic, cache read by context (layers under a sliding window no further than it),
  recurrent state of hybrid models, and a fixed cost;
- uncached input by arithmetic, with attention growing in its length; cached input at a tenth of it
  (0.02 to 0.37: one measurement exists).

Energy per output token is the step over the batch. A second fit of the same form to inter-token
latencies tells the batch where it is not known, and corrects the energy where both are known.
The interval is 80 %: held-out error, assumptions, and the doubt of prefill, cache and batch add as
squares of logarithms.`

const LIMITS_PROSE = `- Prefill is weakly known: 31 rows publish input lengths, none above 8B. Its share of a call
  widens the interval by ×0.6 to ×2.
- Where the software's year is not told, a model released before October 2024 on a GPU older than
  2025 is taken to run partly on software of 2024, which needs 1.6 times the energy. Live events
  carry their year and need no guess.
- GPUs without open measurements borrow the factor of their kin and a wider interval; AMD and TPUs
  have no kin.
- Speculative decoding, disaggregated prefill and idle replicas are not modelled; idle is reported as
  its own line, never inside a call.
- The form of the model (which terms, sub-linear weights) was chosen on these rows; the figures above
  hold out architectures but not that choice.`

export const renderPage = (input: PageInput): string => {
  const { factors, sections, rival, detail, command } = input
  return `# Energy estimate: method, factors and held-out error

Written by \`${command}\`; do not edit. Method \`${METHOD_VERSION}\`, factors \`${factors.version}\`.

## Error on architectures that calibration never saw

Each architecture is held out whole; coefficients, interval widths and the use of latency are learned
from the others alone (widths in inner folds). GPU boards only, energy per request, published rows.

${table([
  ...sections.map(({ title, predictions }) => [title, predictions] as const),
  ['EcoLogits 0.11.3, GPU part as shipped', rival]
])}

## Where the error sits

Batch known, software year told.

${breakdown(detail)}

${byArchitecture(detail)}

## The model

${MODEL_PROSE}

${coefficients(factors)}

## Limits

${LIMITS_PROSE}
`
}
