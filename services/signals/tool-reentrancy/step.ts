import type { Columns } from '../define.ts'

/** One step of a trace, as a row gives it. */
export type Step = {
  tenant: string
  kind: string
  name: string | null
  trace: string
  span: string | null
  parent: string | null
  args: string | null
  result: string | null
  ms: number
  /** End of the step; its start where the duration is not known. */
  endMs: number
  costPico: number
  tokens: number
}

const reported = (value: number): number => (Number.isNaN(value) ? 0 : value)

export const readStep = (columns: Columns, row: number, minuteMs: number): Step => {
  const { measures, texts, keys, series } = columns
  const [tenant, kind, name] = keys[series[row]!]!
  const text = (column: string): string | null => texts[column]![row] ?? null
  const ms = minuteMs + measures['at_ms']![row]!
  return {
    tenant: tenant ?? '',
    kind: kind ?? '',
    name: name ?? null,
    trace: text('trace')!,
    span: text('span'),
    parent: text('parent'),
    args: text('args'),
    result: text('result'),
    ms,
    endMs: ms + reported(measures['duration_ms']![row]!),
    costPico: reported(measures['cost_pico']![row]!),
    tokens: reported(measures['tokens']![row]!)
  }
}

/** Kinds whose repetition means something: a model is called again in every healthy loop. */
export const isCall = ({ kind }: Pick<Step, 'kind'>): boolean =>
  kind === 'tool' || kind === 'retrieval'

export const labelOf = ({ kind, name }: Pick<Step, 'kind' | 'name'>): string =>
  `${kind} ${name ?? ''}`.trimEnd()
