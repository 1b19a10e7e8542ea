import type { UsageRule } from '../rule.ts'

/**
 * Bedrock Converse: cache outside of the input. The wire has carried each cache count under two
 * names at once; they are witnesses of one count. The total has been seen with the cache, which
 * the types do not promise.
 */
export const converse: UsageRule = {
  family: 'camel',
  provider: 'aws.bedrock',
  api: 'converse',
  apiNames: ['converse-stream', 'conversestream', 'converse_stream'],
  marks: [
    'cacheReadInputTokens',
    'cacheWriteInputTokens',
    'cacheReadInputTokenCount',
    'cacheWriteInputTokenCount',
    'cacheDetails',
    'serverToolUsage'
  ],
  prompt: [['inputTokens']],
  completion: [['outputTokens']],
  total: [['totalTokens']],
  cacheRead: [['cacheReadInputTokens'], ['cacheReadInputTokenCount']],
  cacheWrite: [['cacheWriteInputTokens'], ['cacheWriteInputTokenCount']],
  cacheWriteByTtl: {
    '5m': [{ list: ['cacheDetails'], key: 'ttl', values: ['5m'], take: 'inputTokens' }],
    '1h': [{ list: ['cacheDetails'], key: 'ttl', values: ['1h'], take: 'inputTokens' }]
  },
  reasoning: [],
  cache: 'outside',
  reasoningSide: 'inside',
  totalOmits: 'cache',
  units: { web_search: [['serverToolUsage', 'webSearchRequests']] }
}

/** InvokeModel metrics (`amazon-bedrock-invocationMetrics`) and the model invocation log. */
export const invocation: UsageRule = {
  family: 'invocation',
  provider: 'aws.bedrock',
  api: 'invoke',
  apiNames: ['invokemodel', 'invoke_model', 'invocation-log'],
  prompt: [['inputTokenCount'], ['input', 'inputTokenCount']],
  completion: [['outputTokenCount'], ['output', 'outputTokenCount']],
  total: [],
  cacheRead: [['cacheReadInputTokenCount'], ['input', 'cacheReadInputTokenCount']],
  cacheWrite: [['cacheWriteInputTokenCount'], ['input', 'cacheWriteInputTokenCount']],
  reasoning: [],
  cache: 'outside',
  reasoningSide: 'inside'
}
