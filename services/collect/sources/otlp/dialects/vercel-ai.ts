import type { Candidate } from '../../source.ts'
import {
  isRecord,
  numberOf,
  structureOf,
  textOf,
  type Attributes,
  type AttributeValue
} from '../attributes.ts'
import type { Dialect, Kind } from '../dialect.ts'

/**
 * Vercel AI SDK spans (`experimental_telemetry`). An outer `ai.generateText` repeats the usage of
 * its `ai.generateText.doGenerate` calls, so only the inner ones are inferences.
 */

const INNER: readonly (readonly [RegExp, Kind])[] = [
  [/^ai\.toolCall$/, 'tool'],
  [/\.(doGenerate|doStream)$/, 'llm'],
  [/\.doEmbed$/, 'embedding'],
  [/\.doRerank$/, 'rerank'],
  [/^ai\./, 'agent']
]

const kindOf = (attributes: Attributes): Kind | null => {
  const operation = textOf(attributes, ['ai.operationId'])
  if (operation === null) return null
  return INNER.find(([pattern]) => pattern.test(operation))?.[1] ?? null
}

const METADATA = 'ai.telemetry.metadata.'
const metadata = (...names: string[]): string[] => names.map((name) => `${METADATA}${name}`)

/** `openai.responses` names a provider and one of its APIs. */
const splitProvider = (attributes: Attributes): Candidate => {
  const provider = textOf(attributes, ['ai.model.provider'])
  if (provider === null) return {}
  const api = provider.includes('.') ? provider.slice(provider.lastIndexOf('.') + 1) : null
  return api === null ? {} : { api }
}

/**
 * The provider's own block, where its metadata has a whole one: it tells apart what the SDK adds
 * up, such as cache writes by their time to live.
 */
const blockOf = (
  provider: Readonly<Record<string, AttributeValue>>
): Record<string, unknown> | null => {
  const { usage, usageMetadata } = provider
  if (isRecord(usage) && isWhole(usage, 'input_tokens', 'output_tokens')) return usage
  return isRecord(usageMetadata) && isWhole(usageMetadata, 'promptTokenCount', 'totalTokenCount')
    ? usageMetadata
    : null
}

const isWhole = (block: Readonly<Record<string, AttributeValue>>, ...names: string[]): boolean =>
  names.every((name) => typeof block[name] === 'number')

const structure: NonNullable<Dialect['structure']> = (attributes) => {
  const event = splitProvider(attributes)
  const details = structureOf(attributes.get('ai.response.providerMetadata'))
  if (isRecord(details)) {
    for (const provider of Object.values(details)) {
      if (!isRecord(provider)) continue
      const { serviceTier } = provider
      if (typeof serviceTier === 'string') event.service_tier = serviceTier
      const block = blockOf(provider)
      if (block !== null) event.usage = block
    }
  }
  // Embeddings report one bare number, which is the whole input.
  const tokens = numberOf(attributes, ['ai.usage.tokens'])
  if (tokens !== null) event.usage = { 'ai.usage.inputTokens': tokens }
  return event
}

export const vercelAi: Dialect = {
  kind: kindOf,
  text: {
    tenant: metadata('tenant', 'tenantId', 'tenant_id'),
    project: metadata('project', 'projectId'),
    team: metadata('team', 'teamId'),
    user: metadata('userId', 'user_id', 'user'),
    conversation_id: metadata('sessionId', 'session_id', 'conversationId', 'threadId'),
    request_id: ['ai.toolCall.id'],
    response_id: ['ai.response.id'],
    provider: ['ai.model.provider'],
    request_model: ['ai.model.id'],
    response_model: ['ai.response.model'],
    prompt_version: metadata('promptVersion', 'prompt_version')
  },
  name: { tool: ['ai.toolCall.name'], agent: ['ai.telemetry.functionId'] },
  hash: {
    args_hash: ['ai.toolCall.args'],
    result_hash: ['ai.toolCall.result'],
    tools_hash: ['ai.prompt.tools']
  },
  ttftMs: ['ai.response.msToFirstChunk'],
  temperature: ['ai.settings.temperature'],
  stop: ['ai.response.finishReason'],
  usage: ['ai.usage.'],
  said: {
    in: [['ai.prompt.messages'], ['ai.prompt'], ['ai.value'], ['ai.values']],
    out: [
      ['ai.response.reasoning', 'ai.response.text', 'ai.response.object', 'ai.response.toolCalls']
    ]
  },
  tags: [METADATA],
  structure
}
