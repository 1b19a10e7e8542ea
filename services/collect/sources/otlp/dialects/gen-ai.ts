import { isRecord, numberOf, structureOf, textOf, type Attributes } from '../attributes.ts'
import type { Dialect, Kind } from '../dialect.ts'

/**
 * OpenTelemetry GenAI conventions, the names of now and those before v1.37 and v1.43
 * (open-telemetry/semantic-conventions-genai, `docs/gen-ai`). All of them are in development, so
 * emitters of several generations speak at once.
 */

const OPERATIONS: Readonly<Record<string, Kind>> = {
  chat: 'llm',
  generate_content: 'llm',
  text_completion: 'llm',
  completion: 'llm',
  responses: 'llm',
  image_generation: 'llm',
  embeddings: 'embedding',
  embedding: 'embedding',
  retrieval: 'retrieval',
  rerank: 'rerank',
  execute_tool: 'tool',
  create_agent: 'agent',
  invoke_agent: 'agent',
  invoke_workflow: 'agent',
  plan: 'agent',
  handoff: 'agent'
}

const USAGE_NAMES = [
  'gen_ai.usage.input_tokens',
  'gen_ai.usage.output_tokens',
  'gen_ai.usage.prompt_tokens',
  'gen_ai.usage.completion_tokens'
]

const kindOf = (attributes: Attributes): Kind | null => {
  const operation = textOf(attributes, ['gen_ai.operation.name'])
  if (operation !== null && Object.hasOwn(OPERATIONS, operation)) {
    return OPERATIONS[operation] ?? null
  }
  if (textOf(attributes, ['mcp.method.name']) === 'tools/call') return 'tool'
  // An operation that is new to us, or none at all: what is told decides.
  if (isInference(attributes)) return 'llm'
  if (textOf(attributes, ['gen_ai.tool.name']) !== null) return 'tool'
  return textOf(attributes, ['gen_ai.agent.name']) === null ? null : 'agent'
}

/** Usage and a model make an inference; usage alone may be an agent's sum. */
const isInference = (attributes: Attributes): boolean =>
  USAGE_NAMES.some((name) => attributes.get(name) !== undefined) &&
  textOf(attributes, ['gen_ai.request.model', 'gen_ai.response.model']) !== null

const MS_PER_SECOND = 1000

type Document = { id: string | null; score: number | null }

const documentsOf = (attributes: Attributes): Document[] => {
  const list = structureOf(attributes.get('gen_ai.retrieval.documents'))
  if (!Array.isArray(list)) return []
  return list.filter(isRecord).map(({ id, score }) => ({
    id: typeof id === 'string' ? id : null,
    score: typeof score === 'number' ? score : null
  }))
}

const structure: NonNullable<Dialect['structure']> = (attributes) => {
  const documents = documentsOf(attributes)
  const ids = documents.flatMap(({ id }) => (id === null ? [] : [id]))
  const scores = documents.flatMap(({ score }) => (score === null ? [] : [score]))
  const queueSeconds = numberOf(attributes, ['gen_ai.latency.time_in_queue'])
  return {
    ...(queueSeconds === null ? {} : { queue_ms: Math.round(queueSeconds * MS_PER_SECOND) }),
    ...(ids.length > 0 ? { document_ids: ids } : {}),
    ...(scores.length > 0 ? { scores } : {})
  }
}

export const genAi: Dialect = {
  kind: kindOf,
  text: {
    user: ['enduser.id', 'enduser.pseudo.id', 'user.id'],
    conversation_id: ['gen_ai.conversation.id', 'session.id'],
    // A tool's call is known by the id that the model gave it.
    request_id: ['aws.request_id', 'gen_ai.request.id', 'gen_ai.tool.call.id'],
    response_id: ['gen_ai.response.id'],
    provider: ['gen_ai.provider.name', 'gen_ai.system'],
    request_model: ['gen_ai.request.model'],
    response_model: ['gen_ai.response.model'],
    service_tier: [
      'openai.response.service_tier',
      'gen_ai.openai.response.service_tier',
      'openai.request.service_tier',
      'gen_ai.openai.request.service_tier'
    ],
    prompt_version: ['gen_ai.prompt.version'],
    component_version: ['gen_ai.agent.version'],
    error_type: ['error.type']
  },
  name: {
    tool: ['gen_ai.tool.name'],
    agent: ['gen_ai.agent.name', 'gen_ai.workflow.name', 'gen_ai.agent.id'],
    retrieval: ['gen_ai.data_source.id'],
    evaluation: ['gen_ai.evaluation.name']
  },
  hash: {
    system_prompt_hash: ['gen_ai.system_instructions'],
    tools_hash: ['gen_ai.tool.definitions'],
    args_hash: ['gen_ai.tool.call.arguments', 'tool_arguments'],
    result_hash: ['gen_ai.tool.call.result', 'tool_response']
  },
  // The last one is vLLM's.
  ttftSeconds: [
    'gen_ai.response.time_to_first_chunk',
    'gen_ai.server.time_to_first_token',
    'gen_ai.latency.time_to_first_token'
  ],
  temperature: ['gen_ai.request.temperature'],
  stop: ['gen_ai.response.finish_reasons'],
  cost: ['gen_ai.usage.cost', 'gen_ai.usage.cost_usd', 'operation.cost'],
  usage: ['gen_ai.usage.'],
  // The bare names are events' of long ago, the numbered ones OpenLLMetry's.
  said: {
    in: [
      ['gen_ai.system_instructions', 'gen_ai.input.messages'],
      /^gen_ai\.prompt\.\d+\.(?:content|tool_calls\.\d+\.arguments)$/,
      ['gen_ai.prompt']
    ],
    out: [
      ['gen_ai.output.messages'],
      /^gen_ai\.completion\.\d+\.(?:content|reasoning|tool_calls\.\d+\.arguments)$/,
      ['gen_ai.completion']
    ]
  },
  structure
}
