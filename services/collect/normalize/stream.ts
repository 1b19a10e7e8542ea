import { addFacts, noFacts, type Facts } from './facts.ts'
import { isObject, listAt, objectAt, textAt, type Json } from './json.ts'
import { readProviderError, type ProviderError } from './provider-error.ts'
import { findUsage, unwrap } from './usage-block.ts'
import type { Notes } from './warnings.ts'

/** How deep usage blocks nest: details, and a split by time to live inside them. */
const MERGE_DEPTH_MAX = 4

/** Input counters of Anthropic, which restates them as a group. */
const INPUT_FIELDS = [
  'input_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens'
] as const

/** Counters that can only grow within one response. */
const GROWING_FIELDS = [
  'output_tokens',
  'prompt_tokens',
  'completion_tokens',
  'total_tokens',
  'promptTokenCount',
  'candidatesTokenCount',
  'thoughtsTokenCount',
  'totalTokenCount',
  'outputTokens',
  'eval_count'
] as const

/**
 * Folds the events of one streamed response. Usage snapshots are cumulative in every API, so
 * fields are replaced by the last snapshot that reports them and never added.
 */
export class StreamFold {
  readonly facts: Facts = noFacts()
  readonly slots = new Map<string, Json>()
  error: ProviderError | null = null
  /** The last event with usage: what stands around the block tells its API. */
  around: Json = {}
  private open = new Set<number>()
  private choicesSeen = false
  private ended = false
  private usageIsFinal = false
  private responseId: string | null = null
  private readonly notes: Notes

  constructor(notes: Notes) {
    this.notes = notes
  }

  add(event: unknown): void {
    if (!isObject(event)) return
    const { body } = unwrap(event)
    this.addError(event, body)
    this.checkIdentity(event, body)
    const usages = findUsage(body)
    addFacts(this.facts, body, usages[0]?.block ?? null)
    if (usages.length > 0) this.around = body
    for (const { slot, block } of usages) this.merge(slotOf(slot), block)
    this.trackChoices(body)
    this.trackEnd(event, body, usages.length > 0)
  }

  /** The stream said that it is over (`[DONE]`). */
  done(): void {
    this.ended = true
  }

  /** Whether the usage that was seen is the final one. */
  isComplete(): boolean {
    if (this.usageIsFinal) return true
    return this.ended && this.slots.size > 0
  }

  hasEnded(): boolean {
    return this.ended || this.usageIsFinal
  }

  private addError(event: Json, body: Json): void {
    const error = readProviderError(body, null) ?? readProviderError(event, null)
    if (error !== null) this.error = error
  }

  /** A second response in the same transcript would silently replace the first. */
  private checkIdentity(event: Json, body: Json): void {
    const id = textAt(objectAt(event, 'message'), 'id') ?? textAt(body, 'id')
    if (id === null) return
    const restarted = event['type'] === 'message_start' && this.responseId !== null
    if (this.responseId !== null && this.responseId !== id && (restarted || this.usageIsFinal)) {
      this.notes.add('stream_several_responses')
    }
    this.responseId = id
  }

  private merge(slot: string, block: Json): void {
    const before = this.slots.get(slot)
    if (before === undefined) {
      this.slots.set(slot, block)
      return
    }
    if (!holdsCount(block) && holdsCount(before)) {
      this.notes.add('stream_zero_ignored')
      return
    }
    const next = isZeroPlaceholder(before, block) ? withoutInput(block, this.notes) : block
    this.checkShrinking(before, next)
    this.slots.set(slot, mergeFields(before, next, 0))
  }

  /** Anthropic-compatible endpoints restate input with the cache apart, or the cache alone. */
  private checkShrinking(before: Json, next: Json): void {
    const shrunk = GROWING_FIELDS.some(
      (field) => typeof next[field] === 'number' && next[field] < numberOf(before, field)
    )
    const restated = INPUT_FIELDS.some((field) => typeof next[field] === 'number')
    const inputShrunk = restated && inputSum({ ...before, ...reportedOf(next) }) < inputSum(before)
    if (shrunk || inputShrunk) this.notes.add('stream_count_shrank')
    const cacheLater = numberOf(next, 'cache_read_input_tokens')
    const raised = cacheLater > numberOf(before, 'cache_read_input_tokens')
    if (raised && next['input_tokens'] === undefined && before['input_tokens'] !== undefined) {
      this.notes.add('stream_cache_late')
    }
  }

  private trackChoices(body: Json): void {
    for (const choice of listAt(body, 'choices')) {
      if (!isObject(choice)) continue
      this.choicesSeen = true
      const index = typeof choice['index'] === 'number' ? choice['index'] : 0
      if (textAt(choice, 'finish_reason') === null) this.open.add(index)
      else this.open.delete(index)
    }
  }

  private trackEnd(event: Json, body: Json, hasUsage: boolean): void {
    if (endsStream(event) || endsStream(body)) this.ended = true
    if (!hasUsage) return
    const choices = body['choices']
    const afterChoices = Array.isArray(choices) && choices.length === 0
    const allFinished = this.choicesSeen && this.open.size === 0
    this.usageIsFinal = carriesFinalUsage(event, body) || afterChoices || allFinished
  }
}

/** Message start and delta report the same counters under different keys. */
const slotOf = (slot: string): string =>
  slot === 'message.usage' || slot === 'delta.usage' || slot === 'metadata.usage' ? 'usage' : slot

const numberOf = (block: Json, key: string): number => {
  const value = block[key]
  return typeof value === 'number' ? value : 0
}

const inputSum = (block: Json): number =>
  INPUT_FIELDS.reduce((sum, field) => sum + numberOf(block, field), 0)

const reportedOf = (block: Json): Json =>
  Object.fromEntries(
    Object.entries(block).filter(([, value]) => value !== null && value !== undefined)
  )

/** Whether any counter at the top of the block is above 0. */
const holdsCount = (block: Json): boolean =>
  Object.values(block).some((value) => typeof value === 'number' && value > 0)

const isZeroPlaceholder = (before: Json, next: Json): boolean =>
  next['input_tokens'] === 0 && inputSum(next) === 0 && inputSum(before) > 0

const withoutInput = (block: Json, notes: Notes): Json => {
  notes.add('stream_zero_ignored')
  const kept: Record<string, unknown> = { ...block }
  for (const field of INPUT_FIELDS) delete kept[field]
  return kept
}

/** Later fields replace earlier ones unless they are null; nested groups merge field by field. */
const mergeFields = (before: Json, next: Json, depth: number): Json => {
  const merged: Record<string, unknown> = { ...before }
  for (const key of Object.keys(next)) {
    const value = next[key]
    if (value === null || value === undefined) continue
    const old = merged[key]
    const nested = depth < MERGE_DEPTH_MAX && isObject(old) && isObject(value)
    merged[key] = nested ? mergeFields(old, value, depth + 1) : value
  }
  return merged
}

const FINAL_TYPES: readonly string[] = [
  'message_stop',
  'message-end',
  'response.completed',
  'response.incomplete',
  'response.failed',
  'response.cancelled',
  'response.done',
  'finish'
]

const SETTLED = /\.(completed|failed|cancelled|incomplete)$/

const endsStream = (event: Json): boolean =>
  (typeof event['type'] === 'string' && FINAL_TYPES.includes(event['type'])) ||
  (typeof event['event_type'] === 'string' && SETTLED.test(event['event_type'])) ||
  (event['object'] === 'response' && SETTLED.test(`.${String(textAt(event, 'status'))}`)) ||
  event['is_finished'] === true ||
  event['done'] === true

/** Events whose usage is the last word, by protocol. */
const carriesFinalUsage = (event: Json, body: Json): boolean =>
  endsStream(event) ||
  endsStream(body) ||
  textAt(objectAt(event, 'delta'), 'stop_reason') !== null ||
  textAt(body, 'stop_reason') !== null ||
  textAt(objectAt(body, 'message'), 'stop_reason') !== null ||
  textAt(body, 'stopReason') !== null ||
  isObject(objectAt(event, 'metadata')?.['usage']) ||
  isObject(event['amazon-bedrock-invocationMetrics']) ||
  isObject(body['details']) ||
  finishedCandidates(body) ||
  textAt(objectAt(body, 'promptFeedback'), 'blockReason') !== null

const finishedCandidates = (body: Json): boolean => {
  const candidates = listAt(body, 'candidates')
  return candidates.length > 0 && candidates.every((one) => textAt(one, 'finishReason') !== null)
}

const EVENT_KEYS = [
  'messageStart',
  'contentBlockStart',
  'contentBlockDelta',
  'contentBlockStop',
  'messageStop'
] as const

const EVENT_TYPE =
  /^(message_(start|delta|stop)|content_block_.*|response\..*|message-(start|end))$/

/**
 * Whether a body is one event of a stream rather than a whole response. A stream that was cut
 * after its first event looks like this, and must not pass for a whole answer.
 */
export const isEvent = (body: Json): boolean => {
  const type = body['type']
  if (typeof type === 'string' && EVENT_TYPE.test(type)) return true
  if (typeof body['event_type'] === 'string' || body['done'] === false) return true
  if (String(textAt(body, 'object')).endsWith('.chunk')) return true
  if (EVENT_KEYS.some((key) => body[key] !== undefined)) return true
  if (isUnfinished(body) || isUnfinished(objectAt(body, 'message'))) return true
  const choices = listAt(body, 'choices')
  if (choices.some((choice) => isObject(choice) && isObject(choice['delta']))) return true
  return listAt(body, 'candidates').length > 0 && !finishedCandidates(body)
}

const RUNNING: readonly unknown[] = ['in_progress', 'queued']

/** A message without its stop reason, as session logs hold it, or a response that still runs. */
const isUnfinished = (body: Json | null): boolean => {
  if (body === null) return false
  if (body['object'] === 'response') return RUNNING.includes(body['status'])
  return body['type'] === 'message' && body['stop_reason'] === null
}
