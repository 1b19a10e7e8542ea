/** The facts by which a step can be replayed, each with the SQL of where it applies and is missing. */

export const FACTS = ['version', 'prompt', 'temperature', 'usage', 'result', 'parent'] as const
export type Fact = (typeof FACTS)[number]

/** Facts that are columns of traces.sql; whether a parent is there shows only over steps. */
export const RECORDED = ['version', 'prompt', 'temperature', 'usage', 'result'] as const

const OK = 'coalesce(status, 200) < 400 AND error_type IS NULL'

/** SQL conditions over `steps`, a relation of events. */
export const FACT_SQL: Readonly<Record<Fact, { applies: string; missing: string }>> = {
  version: { applies: `kind = 'llm' AND ${OK}`, missing: 'response_model IS NULL' },
  prompt: { applies: "kind = 'llm'", missing: 'system_prompt_hash IS NULL' },
  temperature: { applies: "kind = 'llm'", missing: 'temperature IS NULL' },
  usage: { applies: `kind = 'llm' AND ${OK}`, missing: 'in_total IS NULL AND out_total IS NULL' },
  result: {
    applies: `kind = 'tool' AND ${OK}`,
    missing: 'result_hash IS NULL OR coalesce(result_truncated, false)'
  },
  parent: {
    applies: 'parent_span_id IS NOT NULL',
    missing:
      '(trace_id, parent_span_id) NOT IN (SELECT (trace_id, span_id) FROM events WHERE span_id IS NOT NULL AND trace_id IS NOT NULL)'
  }
}

/** What is lost without it, for people. */
export const FACT_WORDS: Readonly<Record<Fact, string>> = {
  version: 'the model version that served',
  prompt: 'the system prompt',
  temperature: 'the temperature',
  usage: 'the token usage',
  result: 'the whole result of tools',
  parent: 'the step that called it'
}
