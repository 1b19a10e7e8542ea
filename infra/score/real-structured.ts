import { SETTINGS } from '../../services/signals/schema-retries/settings.ts'
import signal from '../../services/signals/schema-retries/signal.ts'
import type { GrainRow } from '../worlds/grain-rows.ts'
import { foldRows, ofAll, readText, type RealRow } from './real-rows.ts'

/** BFCL: the same questions put to models twice, weeks apart; played in both orders. */

const FIRST_MS = Date.parse('2024-07-25T09:00:00Z')
const SECOND_MS = Date.parse('2024-08-11T09:00:00Z')
const UNPARSEABLE = /^ast_decoder|^executable_decoder|wrong_output_format/
/** Standard errors beyond which the answers of two runs truly differ; below the other, they do not. */
const FELL_SD = 4
const STABLE_SD = 2

type Answer = { run: string; model: string; schema: string; seconds: number; valid: number }

const readAnswers = (): Answer[] =>
  readText('function-calling/bfcl_calls.csv.gz')
    .trim()
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [run, model, schema, , , , latency, outcome] = line.split(',')
      if (schema === 'relevance' || !outcome) return []
      const valid = UNPARSEABLE.test(outcome) ? 0 : 1
      const seconds = Math.max(0.2, Number(latency))
      return [{ run: run!, model: model!, schema: schema!, seconds, valid }]
    })

/** Difference of the second run against the first, in standard errors, and what failed of each; null without both. */
const differenceOf = (answers: readonly Answer[], [first, second]: readonly string[]) => {
  const shares = [first, second].map((run) => {
    const own = answers.filter((one) => one.run === run)
    return { n: own.length, p: own.reduce((sum, { valid }) => sum + valid, 0) / own.length }
  })
  const [a, b] = [shares[0]!, shares[1]!]
  if (a.n === 0 || b.n === 0) return null
  const p = (a.p * a.n + b.p * b.n) / (a.n + b.n)
  const z = (b.p - a.p) / Math.sqrt(Math.max(p * (1 - p), 1e-6) * (1 / a.n + 1 / b.n))
  return { z, text: `failed ${failed(a)}, then ${failed(b)}` }
}

const failed = ({ n, p }: { n: number; p: number }): string => `${Math.round(n * (1 - p))} of ${n}`

const rowsOf = (answers: readonly Answer[], [first]: readonly string[]): GrainRow[] => {
  const clocks: Record<string, number> = {}
  return answers.map(({ run, model, schema, seconds, valid }, index) => {
    const time_ms = (clocks[run] ?? (run === first ? FIRST_MS : SECOND_MS)) + 1000 * seconds
    clocks[run] = time_ms
    return { tenant: 'bfcl', model, schema, valid, time_ms, id: String(index).padStart(6, '0') }
  })
}

/** False findings per tenant-month that would have to be borne for a fall to be told: doubled ever again. */
const BUDGETS = Array.from(
  { length: 14 },
  (_, doublings) => SETTINGS.falseFindingsPerTenantMonth * 2 ** (doublings + 1)
)

const budgetText = (rows: readonly GrainRow[]): string => {
  const isTold = (falseFindingsPerTenantMonth: number): boolean => {
    const open: typeof signal.open = (settings, saved) =>
      signal.open({ ...settings, falseFindingsPerTenantMonth }, saved)
    return foldRows({ ...signal, open }, rows).length > 0
  }
  const enough = BUDGETS.find(isTold)
  const { falseFindingsPerTenantMonth: asked } = SETTINGS
  return `${asked} false findings a month are allowed, and ${enough?.toPrecision(2) ?? `more than ${BUDGETS.at(-1)!.toPrecision(2)}`} would be the price`
}

export const scoreStructured = (): RealRow[] => {
  const answers = readAnswers()
  const runs = [...new Set(answers.map(({ run }) => run))].sort()
  const tally = { fell: 0, told: 0, stable: 0, silent: 0 }
  const untold: string[] = []
  for (const order of [runs, [...runs].reverse()]) {
    for (const model of new Set(answers.map((one) => one.model))) {
      const own = answers.filter((one) => one.model === model)
      const difference = differenceOf(own, order)
      if (difference === null) continue
      const isTold = foldRows(signal, rowsOf(own, order)).length > 0
      if (difference.z <= -FELL_SD) {
        tally.fell += 1
        tally.told += isTold ? 1 : 0
        const price = isTold
          ? []
          : [`${model}, ${difference.text}: ${budgetText(rowsOf(own, order))}`]
        untold.push(...price)
      } else if (difference.z >= -STABLE_SD) {
        tally.stable += 1
        tally.silent += isTold ? 0 : 1
      }
    }
  }
  const missed = untold.length === 0 ? '' : `; not told: ${untold.join(', ')}`
  return [
    {
      data: 'BFCL, two runs of each model in both orders',
      signal: 'schema-retries',
      told: `${ofAll(tally.told, tally.fell)} falls of ${FELL_SD} standard errors or more${missed}`,
      silent: `${ofAll(tally.silent, tally.stable)} models that did not fall by ${STABLE_SD}`
    }
  ]
}
