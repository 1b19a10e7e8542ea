import { textOf, type Attributes } from '../attributes.ts'
import type { Dialect, Kind } from '../dialect.ts'

/** OpenLLMetry (traceloop/openllmetry `opentelemetry-semantic-conventions-ai`). */

const SPAN_KINDS: Readonly<Record<string, Kind>> = {
  workflow: 'agent',
  task: 'agent',
  agent: 'agent',
  tool: 'tool'
}

const REQUEST_TYPES: Readonly<Record<string, Kind>> = {
  chat: 'llm',
  completion: 'llm',
  embedding: 'embedding',
  rerank: 'rerank'
}

const pick = (kinds: Readonly<Record<string, Kind>>, name: string | null): Kind | null =>
  name !== null && Object.hasOwn(kinds, name) ? (kinds[name] ?? null) : null

const kindOf = (attributes: Attributes): Kind | null =>
  pick(REQUEST_TYPES, textOf(attributes, ['llm.request.type'])) ??
  pick(SPAN_KINDS, textOf(attributes, ['traceloop.span.kind']))

const ASSOCIATION = 'traceloop.association.properties.'
const association = (...names: string[]): string[] => names.map((name) => `${ASSOCIATION}${name}`)

export const openLlmetry: Dialect = {
  kind: kindOf,
  text: {
    tenant: association('tenant', 'tenant_id', 'tenantId'),
    project: association('project', 'project_id'),
    team: association('team', 'team_id'),
    user: association('user_id', 'userId', 'user'),
    conversation_id: association('session_id', 'sessionId', 'thread_id', 'conversation_id'),
    prompt_version: ['traceloop.prompt.version', 'traceloop.prompt.version_hash']
  },
  name: {
    tool: ['traceloop.entity.name'],
    agent: ['traceloop.entity.name', 'traceloop.workflow.name']
  },
  hash: {
    args_hash: ['traceloop.entity.input'],
    result_hash: ['traceloop.entity.output'],
    tools_hash: ['llm.request.functions.']
  },
  stop: ['gen_ai.response.stop_reason', 'llm.response.finish_reason', 'llm.response.stop_reason'],
  usage: ['llm.usage.'],
  tags: [ASSOCIATION]
}
