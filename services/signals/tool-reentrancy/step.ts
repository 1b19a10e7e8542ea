import type { Columns } from '../define.ts'
import { identityOf, pairIdentity } from '../statistics/identity.ts'

/** What all steps of a series have in common. */
export type StepSeries = {
  tenant: string
  tenantIdentity: number
  kind: string
  name: string | null
  label: string
}

/** One step of a trace, as a row gives it. */
export type Step = {
  of: StepSeries
  /** Identities: of tenant and trace, and of what is only compared; NONE where there is none. */
  trace: number
  span: number
  parent: number
  args: number
  ms: number
  /** End of the step; its start where the duration is not known. */
  endMs: number
  costPico: number
  tokens: number
  /** Where its texts are, which few steps are asked for. */
  row: number
  texts: Columns['texts']
}

const reported = (value: number): number => (Number.isNaN(value) ? 0 : value)
/** No identity: a step without a parent, a call without arguments. */
export const NONE = 0
const known = (identity: number): number => (Number.isNaN(identity) ? NONE : identity)

/** @param seen what series stand for, filled as they are seen in a run. */
export const readStep = (
  columns: Columns,
  row: number,
  { minuteMs, seen }: { minuteMs: number; seen: StepSeries[] }
): Step => {
  const { measures, texts, keys, series } = columns
  const code = series[row]!
  const of = (seen[code] ??= seriesOf(keys[code]!))
  const ms = minuteMs + measures['at_ms']![row]!
  return {
    of,
    trace: pairIdentity(of.tenantIdentity, measures['trace']![row]!),
    span: known(measures['span']![row]!),
    parent: known(measures['parent']![row]!),
    args: known(measures['args']![row]!),
    ms,
    endMs: ms + reported(measures['duration_ms']![row]!),
    costPico: reported(measures['cost_pico']![row]!),
    tokens: reported(measures['tokens']![row]!),
    row,
    texts
  }
}

const seriesOf = ([tenant, kind, name]: Columns['keys'][number]): StepSeries => ({
  tenant: tenant ?? '',
  tenantIdentity: identityOf(tenant ?? ''),
  kind: kind ?? '',
  name: name ?? null,
  label: `${kind ?? ''} ${name ?? ''}`.trimEnd()
})

/** A text of a step as it was recorded. */
export const textOf = ({ texts, row }: Step, column: 'trace' | 'args' | 'result'): string | null =>
  texts[column]!.at(row) ?? null

/** Kinds whose repetition means something: a model is called again in every healthy loop. */
export const isCall = ({ of: { kind } }: Pick<Step, 'of'>): boolean =>
  kind === 'tool' || kind === 'retrieval'
