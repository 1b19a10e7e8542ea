import { Failure } from '../../../schemas/failure.ts'

/** One published measurement of a serving configuration. Energy is of the GPU boards alone. */
export type ReferenceRow = {
  id: string
  source: string
  task: string
  engine: string
  model: string
  /** Rows of one architecture are held out together. */
  architecture: string
  totalB: number
  activeB: number
  gpu: string
  gpuCount: number
  precision: string
  concurrency: number
  inputTokens: number
  inputPublished: boolean
  outputTokens: number
  joulesPerOutputToken: number
  interTokenMs: number | null
  engineYear: number
  anomalous: boolean
}

/** Reads the reference table; throws E_FACTOR_TABLE on a row that lacks what a fit needs. */
export const parseReferenceRows = (csv: string): ReferenceRow[] => {
  const [header, ...lines] = csv.trim().split('\n')
  const names = (header ?? '').split(',')
  return lines.map((line) => {
    const cells = splitCsv(line)
    return rowOf(Object.fromEntries(names.map((name, index) => [name, cells[index] ?? ''])))
  })
}

// No cell of the table holds a quote or a line break inside quotes; commas inside quotes do occur.
const splitCsv = (line: string): string[] =>
  [...line.matchAll(/(?:^|,)(?:"([^"]*)"|([^,]*))/g)].map((match) => match[1] ?? match[2] ?? '')

const rowOf = (cells: Record<string, string>): ReferenceRow => {
  const number = (name: string): number => {
    const value = Number(cells[name])
    if (cells[name] === '' || !Number.isFinite(value)) {
      throw new Failure('E_FACTOR_TABLE', `row ${cells['row_id']}: ${name} is "${cells[name]}"`)
    }
    return value
  }
  const optional = (name: string): number | null => (cells[name] === '' ? null : number(name))
  const published = optional('in_tokens_published')
  const model = cells['model'] ?? ''
  const source = cells['source'] ?? ''
  return {
    id: cells['row_id'] ?? '',
    source,
    task: cells['task'] ?? '',
    engine: cells['engine'] ?? '',
    model,
    architecture: architectureOf(model),
    totalB: number('p_total_b'),
    activeB: number('p_active_b'),
    gpu: cells['gpu'] ?? '',
    gpuCount: number('n_gpus'),
    precision: cells['precision'] ?? '',
    concurrency: number('avg_batch'),
    inputTokens: published ?? number('in_tokens_assumed'),
    inputPublished: published !== null,
    outputTokens: number('out_tokens'),
    joulesPerOutputToken: number('gpu_j_per_out_token'),
    interTokenMs: optional('median_itl_ms'),
    // The LLM-Inference-Bench runs are of 2024 but as lean as today's engines (TensorRT-LLM, tuned).
    engineYear: source === 'mlenergy-v2' ? 2024 : 2025,
    anomalous: (cells['flags'] ?? '').includes('anomaly')
  }
}

// Variants with the same layers and weights (instruct, thinking, coder, fp8) are one architecture.
const FAMILIES: readonly [RegExp, string][] = [
  [/llama-3(\.1)?-8b/, 'llama-3-8b'],
  [/llama-3\.1-405b/, 'llama-3.1-405b'],
  [/qwen3-(coder-)?30b/, 'qwen3-30b-a3b'],
  [/qwen3-235b/, 'qwen3-235b-a22b'],
  [/qwen3-coder-480b/, 'qwen3-coder-480b'],
  [/gemma-7b|codegemma-7b/, 'gemma-7b'],
  [/codegemma-1\.1-2b/, 'gemma-2b']
]

/** The architecture that a model is a variant of. */
export const architectureOf = (model: string): string => {
  const name = (model.split('/').at(-1) ?? model).toLowerCase()
  return FAMILIES.find(([pattern]) => pattern.test(name))?.[1] ?? name
}
