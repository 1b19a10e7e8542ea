import table from './models.json' with { type: 'json' }

/** What the estimate needs to know of a model. Sizes are billions of parameters. */
export type ModelStructure = {
  name: string
  totalB: number
  activeB: number
  /** Range of active parameters where the provider does not disclose them. */
  activeLowB: number
  activeHighB: number
  layers: number
  /** Key and value bytes per context token at bf16, all attention layers together. */
  keyValueBytes: number
  hidden: number
  /** Routed experts per layer and how many a token takes; null for dense or unknown. */
  experts: number | null
  expertsActive: number | null
  /** Share of the cache under a sliding window, and that window in tokens. */
  windowShare: number
  windowTokens: number
  /** Recurrent state read and written per token by hybrid models. */
  stateBytes: number
  precision: string | null
  /** Year and month of release, `2024-07`; null when not known. */
  released: string | null
  /** Whether parameter counts were published by the maker. */
  disclosed: boolean
  /** table: structure from its configuration; size: from counts alone; guess: hosted, not disclosed. */
  known: 'table' | 'size' | 'guess'
}

type StructureRow = {
  name: string
  match: string
  total_b: number
  active_b: number
  layers: number
  kv_bytes: number
  hidden: number
  experts?: number
  experts_active?: number
  window_share?: number
  window_tokens?: number
  state_bytes?: number
  precision?: string
  released: string
}

type HostedRow = {
  name: string
  total_b: number
  active_b: number
  active_low_b?: number
  active_high_b?: number
  disclosed: boolean
}

// Anchored at the start of a name part, so that `yi-34b` does not match inside `xyi-34b`.
const anchored = (pattern: string): RegExp => new RegExp(`(^|[-./])(${pattern})`)

const STRUCTURES = (table.structures as StructureRow[]).map((row) => ({
  row,
  match: anchored(row.match)
}))
const HOSTED = (table.hosted as HostedRow[]).map((row) => ({ row, key: row.name.toLowerCase() }))
const HOSTED_BY_LENGTH = HOSTED.toSorted((a, b) => b.key.length - a.key.length)

const PARAMETERS_PER_B = 1e9
/** Below this ratio of active to total parameters a model is a mixture of experts. */
export const DENSE_RATIO_MIN = 0.99

/** `meta-llama/Llama_3.1:8B` becomes `llama-3.1-8b`: last path segment, one separator. */
export const modelKey = (name: string): string =>
  (name.toLowerCase().split('/').at(-1) ?? '').replaceAll(/[\s_:@]+/g, '-')

/**
 * Layers and cache size of a model of which only the parameter counts are known: a power law
 * through published dense configurations (8B: 32, 405B: 132), flatter for mixtures of experts, and
 * eight key-value heads of 128, the usual choice.
 */
export const structureFromSize = (totalB: number, activeB: number): ModelStructure => {
  const dense = activeB >= totalB * DENSE_RATIO_MIN
  const layers = Math.max(
    8,
    Math.round(dense ? 32 * (totalB / 8) ** 0.36 : 48 * (totalB / 100) ** 0.15)
  )
  return {
    name: `${totalB}b`,
    totalB,
    activeB,
    activeLowB: activeB,
    activeHighB: activeB,
    layers,
    keyValueBytes: 4096 * layers,
    // A transformer of this depth holds about 12 · layers · hidden² parameters.
    hidden: Math.round(Math.sqrt((activeB * PARAMETERS_PER_B) / (12 * layers))),
    experts: null,
    expertsActive: null,
    windowShare: 0,
    windowTokens: 0,
    stateBytes: 0,
    precision: null,
    released: null,
    disclosed: true,
    known: 'size'
  }
}

const fromRow = (row: StructureRow): ModelStructure => ({
  name: row.name,
  totalB: row.total_b,
  activeB: row.active_b,
  activeLowB: row.active_b,
  activeHighB: row.active_b,
  layers: row.layers,
  keyValueBytes: row.kv_bytes,
  hidden: row.hidden,
  experts: row.experts ?? null,
  expertsActive: row.experts_active ?? null,
  windowShare: row.window_share ?? 0,
  windowTokens: row.window_tokens ?? 0,
  stateBytes: row.state_bytes ?? 0,
  precision: row.precision ?? null,
  released: row.released,
  disclosed: true,
  known: 'table'
})

const fromHosted = (row: HostedRow): ModelStructure => ({
  ...structureFromSize(row.total_b, row.active_b),
  name: row.name,
  activeLowB: row.active_low_b ?? row.active_b,
  activeHighB: row.active_high_b ?? row.active_b,
  disclosed: row.disclosed,
  known: row.disclosed ? 'size' : 'guess'
})

// `qwen3-30b-a3b`: total and active; `8x7b`: experts share attention, hence the 0.85; `7b`: dense.
const fromName = (key: string): ModelStructure | null => {
  const mixture = /(?<!\d)(\d+(?:\.\d+)?)b-a(\d+(?:\.\d+)?)b/.exec(key)
  if (mixture !== null) return structureFromSize(Number(mixture[1]), Number(mixture[2]))
  const times = /(?<!\d)(\d+)x(\d+(?:\.\d+)?)b/.exec(key)
  if (times !== null) {
    const [experts, size] = [Number(times[1]), Number(times[2])]
    return structureFromSize(experts * size * 0.85, size * 1.85)
  }
  const size = /(?:^|[-.])(\d+(?:\.\d+)?)b(?:[-.]|$)/.exec(key)
  const totalB = size === null ? 0 : Number(size[1])
  return totalB > 0 ? structureFromSize(totalB, totalB) : null
}

/**
 * Finds a model by the names that gateways, clouds and hubs give it. Exact hosted names first, then
 * published structures, then the longest hosted name that starts it (dated snapshots), then sizes
 * written in the name. Null when nothing tells its size.
 */
export const findModel = (name: string | null | undefined): ModelStructure | null => {
  if (name === null || name === undefined || name === '') return null
  const key = modelKey(name)
  const exact = HOSTED.find((hosted) => hosted.key === key)
  if (exact !== undefined) return fromHosted(exact.row)
  const structure = STRUCTURES.find(({ match }) => match.test(key))
  if (structure !== undefined) return fromRow(structure.row)
  const bare = key.replace(/^([a-z]{2,6}\.)?(anthropic|openai|google|mistral|meta)\./, '')
  const hosted = HOSTED_BY_LENGTH.find((candidate) => bare.startsWith(candidate.key))
  if (hosted !== undefined) return fromHosted(hosted.row)
  // `claude-opus-4-5` names what the table holds under its dated snapshot.
  const dated = HOSTED.find((candidate) => candidate.key.startsWith(`${bare}-20`))
  if (dated !== undefined) return fromHosted(dated.row)
  return fromName(key)
}
