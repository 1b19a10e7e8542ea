import { EventSplitter } from '../normalize/events.ts'
import { isJsonObject, objectIn, valueIn, type JsonObject } from '../json-value.ts'
import { textOf } from './text-of.ts'

/** Text of a response: whole, as the events of its stream, or as the transcript of one. */
export const answerText = (body: unknown): string | null => {
  if (typeof body === 'string') return transcriptText(body)
  if (Array.isArray(body)) return joined((body as unknown[]).map(pieceOf))
  if (!isJsonObject(body)) return null
  return textOf(answerOf(body))
}

const joined = (pieces: readonly (string | null)[]): string | null =>
  pieces.filter((piece) => piece !== null).join('') || null

const transcriptText = (text: string): string | null => {
  const whole = parsed(text)
  if (whole !== undefined && typeof whole !== 'string') return answerText(whole)
  const splitter = new EventSplitter()
  const events = [...splitter.push(text), ...splitter.end().events]
  return joined(events.map(pieceOf))
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** Where providers put the answer; an `input` or `instructions` that a response repeats is none. */
const ANSWER_KEYS = [
  'choices',
  'content',
  'output',
  'candidates',
  'message',
  'response',
  'text',
  'generations',
  'completion'
]

const answerOf = (body: JsonObject): unknown[] =>
  ANSWER_KEYS.flatMap((key) => {
    const value = valueIn(body, key)
    return value === null ? [] : [{ [key === 'generations' ? 'choices' : key]: value }]
  })

/**
 * Text that an event of a stream adds to the answer: its delta alone, since the last events of some
 * APIs repeat the whole of it.
 */
export const pieceOf = (event: unknown): string | null => {
  if (!isJsonObject(event)) return null
  const type = valueIn(event, 'type')
  // Events of OpenAI's Responses API: those that add text have it as a bare `delta`.
  if (typeof type === 'string' && type.startsWith('response.')) return textIn(event['delta'])
  const delta = objectIn(event, 'delta') ?? objectIn(event, 'contentBlockDelta', 'delta')
  if (delta !== null) return argumentPiece(delta) ?? textOf(objectIn(delta, 'message') ?? delta)
  const choices = valueIn(event, 'choices')
  if (Array.isArray(choices)) return joined(choices.map((choice) => textOf(choicePiece(choice))))
  const candidates = valueIn(event, 'candidates')
  if (Array.isArray(candidates)) return textOf({ candidates: candidates as unknown[] })
  // Ollama repeats a message of one piece a line; Anthropic's first event holds an empty one.
  const message = objectIn(event, 'message')
  return type === 'message_start' || message === null
    ? textIn(valueIn(event, 'response'))
    : textOf(message)
}

const choicePiece = (choice: unknown): unknown =>
  objectIn(choice, 'delta') ?? valueIn(choice, 'text') ?? objectIn(choice, 'message')

const textIn = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : null

/** Pieces of a tool's arguments: Anthropic's JSON, Bedrock's. */
const argumentPiece = (delta: JsonObject): string | null =>
  textIn(valueIn(delta, 'partial_json')) ?? textIn(valueIn(delta, 'toolUse', 'input'))
