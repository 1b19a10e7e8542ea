import type { Candidate } from '../../source.ts'
import { isRecord, numberOf, structureOf, textOf, type Attributes } from '../attributes.ts'
import type { Dialect, Kind } from '../dialect.ts'

/** OpenInference (Arize-ai/openinference `spec/semantic_conventions.md`). */

const KINDS: Readonly<Record<string, Kind>> = {
  LLM: 'llm',
  EMBEDDING: 'embedding',
  TOOL: 'tool',
  RETRIEVER: 'retrieval',
  RERANKER: 'rerank',
  GUARDRAIL: 'guardrail',
  EVALUATOR: 'evaluation',
  AGENT: 'agent',
  CHAIN: 'agent'
}

const kindOf = (attributes: Attributes): Kind | null => {
  const kind = textOf(attributes, ['openinference.span.kind'])?.toUpperCase() ?? ''
  return Object.hasOwn(KINDS, kind) ? (KINDS[kind] ?? null) : null
}

/** Documents are spread over numbered attributes; this bounds how many are looked for. */
const DOCUMENTS_MAX = 1024

const documentsAt = (
  attributes: Attributes,
  prefix: string
): { ids: string[]; scores: number[] } => {
  const ids: string[] = []
  const scores: number[] = []
  for (let index = 0; index < DOCUMENTS_MAX; index++) {
    const base = `${prefix}.${index}.document`
    const id = textOf(attributes, [`${base}.id`])
    const score = numberOf(attributes, [`${base}.score`])
    const hasContent = attributes.get(`${base}.content`) !== undefined
    if (id === null && score === null && !hasContent) break
    if (id !== null) ids.push(id)
    if (score !== null) scores.push(score)
  }
  return { ids, scores }
}

const countAt = (attributes: Attributes, prefix: string): number => {
  let count = 0
  for (const name of attributes.names()) {
    if (!name.startsWith(`${prefix}.`)) continue
    count = Math.max(count, Number.parseInt(name.slice(prefix.length + 1), 10) + 1 || 0)
  }
  return count
}

/**
 * The convention has no attribute for the response's id, but instrumentations of SDKs keep the whole
 * response, which begins with it. Without it the span is told apart from what a gateway saw.
 */
const RESPONSE_ID = /^\{\s*"id":\s*"([\w.:-]{1,256})"/

const responseIdOf = (attributes: Attributes): string | null => {
  if (textOf(attributes, ['output.mime_type']) !== 'application/json') return null
  const response = attributes.get('output.value')
  return typeof response === 'string' ? (RESPONSE_ID.exec(response)?.[1] ?? null) : null
}

const structure: NonNullable<Dialect['structure']> = (attributes) => {
  const kept = documentsAt(attributes, 'reranker.output_documents')
  const found = documentsAt(attributes, 'retrieval.documents')
  const ids = kept.ids.length > 0 ? kept.ids : found.ids
  const scores = kept.scores.length > 0 ? kept.scores : found.scores
  const candidates = countAt(attributes, 'reranker.input_documents')
  const event: Candidate = {}
  if (ids.length > 0) event.document_ids = ids
  if (scores.length > 0) event.scores = scores
  if (candidates > 0) event.candidates = candidates
  if (kindOf(attributes) === 'llm') {
    const id = responseIdOf(attributes)
    if (id !== null) event.response_id = id
  }
  const parameters = structureOf(attributes.get('llm.invocation_parameters'))
  if (isRecord(parameters)) {
    const { model, temperature } = parameters
    if (typeof model === 'string' && model !== '') event.request_model = model
    if (typeof temperature === 'number') event.temperature = temperature
  }
  return event
}

/** Texts of numbered messages, their parts, and calls of tools among them. */
const messageText = (side: 'input' | 'output'): RegExp =>
  new RegExp(
    `^llm\\.${side}_messages\\.\\d+\\.message\\.(?:content|contents\\.\\d+\\.message_content\\.text` +
      '|tool_calls\\.\\d+\\.tool_call\\.function\\.arguments)$'
  )

export const openInference: Dialect = {
  kind: kindOf,
  text: {
    user: ['user.id'],
    project: ['openinference.project.name'],
    conversation_id: ['session.id'],
    provider: ['llm.provider', 'llm.system'],
    request_model: ['llm.request.model_name', 'embedding.model_name', 'reranker.model_name'],
    response_model: ['llm.response.model_name', 'llm.model_name'],
    prompt_version: ['llm.prompt_template.version']
  },
  name: {
    tool: ['tool.name'],
    agent: ['agent.name', 'graph.node.name', 'graph.node.id']
  },
  hash: {
    args_hash: ['tool.parameters', 'input.value'],
    result_hash: ['output.value'],
    tools_hash: ['llm.tools.']
  },
  said: {
    in: [messageText('input'), /^embedding\.embeddings\.\d+\.embedding\.text$/, ['input.value']],
    out: [messageText('output'), ['output.value']]
  },
  stop: ['llm.finish_reason'],
  cost: ['llm.cost.total'],
  usage: ['llm.token_count.'],
  structure
}
