import { EventSplitter } from './events.ts'
import { addFacts, addUsageFacts, noFacts, type Facts } from './facts.ts'
import { isObject, parseJson, type Json } from './json.ts'
import { readProviderError, type HttpFacts, type ProviderError } from './provider-error.ts'
import { familyOf } from './resolve.ts'
import type { Family } from './rule.ts'
import { isEvent, StreamFold } from './stream.ts'
import { findUsage, hasStrayUsage, SLOT_ORDER, unwrap, type Found } from './usage-block.ts'
import type { Notes } from './warnings.ts'

/** What was found in a body of any kind: whole, streamed, wrapped, cut, or an error. */
export type Reading = {
  usage: Found | null
  /** The response around the usage block, for hints about its API. */
  body: Json
  facts: Facts
  error: ProviderError | null
  /** The usage is a snapshot of a stream that did not end. */
  partial: boolean
  batch: boolean
}

/** Reads a body as parsed JSON, as JSON text, or as the transcript of a stream. Never throws. */
export const readBody = (body: unknown, http: HttpFacts, notes: Notes): Reading => {
  if (typeof body === 'string') return readText(body, http, notes)
  if (Array.isArray(body)) return readEvents(body as unknown[], http, notes)
  if (!isObject(body)) return unreadable(http, notes)
  const family = holdsCountsAlone(body) ? familyOf(body) : null
  if (family !== null) return readCounts(body, family, http)
  return isEvent(body) ? readEvents([body], http, notes) : readWhole(body, http, notes)
}

const COUNT_NAME = /tokens?(?:_?count)?$/i
const DETAILS_NAME = /._?details$|^cache_creation$|^server_tool_use$/i
const TEXT_NAMES: ReadonlySet<string> = new Set(['service_tier', 'speed', 'inference_geo'])

/**
 * Whether a body is a usage block by itself and nothing else, as native events and spans carry it.
 * Nearly all are, and the hundred places where responses, events and errors say something need not
 * be looked at in one.
 */
const holdsCountsAlone = (body: Json): boolean => {
  for (const name in body) if (!isPartOfCounts(name, body[name])) return false
  return true
}

const isPartOfCounts = (name: string, value: unknown): boolean => {
  if (typeof value === 'number') return COUNT_NAME.test(name)
  if (typeof value === 'string') return TEXT_NAMES.has(name)
  if (typeof value !== 'object') return false
  return DETAILS_NAME.test(name) || (value === null && COUNT_NAME.test(name))
}

const readCounts = (block: Json, family: Family, http: HttpFacts): Reading => {
  const facts = noFacts()
  addUsageFacts(facts, block)
  const error = readProviderError(null, http)
  const usage = { slot: 'bare', block, family }
  return { usage, body: block, facts, error, partial: false, batch: false }
}

const BYTE_ORDER_MARK = '\uFEFF'

const readText = (marked: string, http: HttpFacts, notes: Notes): Reading => {
  const text = marked.startsWith(BYTE_ORDER_MARK) ? marked.slice(1) : marked
  const value = parseJson(text)
  if (isObject(value) || Array.isArray(value)) return readBody(value, http, notes)
  const splitter = new EventSplitter()
  const events = splitter.push(text)
  const { events: last, tail } = splitter.end()
  events.push(...last)
  if (events.length === 0 && !splitter.done) return unreadable(http, notes)
  const fold = foldOf(events, notes)
  if (splitter.done) fold.done()
  if (splitter.unreadable > 0) notes.add('stream_event_unreadable')
  if (tail && fold.hasEnded()) notes.add('stream_tail_unreadable')
  return readFold(fold, http, notes)
}

const foldOf = (events: readonly unknown[], notes: Notes): StreamFold => {
  const fold = new StreamFold(notes)
  for (const event of events) fold.add(event)
  return fold
}

const readEvents = (events: readonly unknown[], http: HttpFacts, notes: Notes): Reading => {
  const failed = readProviderError(events, http)
  if (failed !== null && events.length === 1) return { ...nothing(), error: failed }
  return readFold(foldOf(events, notes), http, notes)
}

/** What a fold of a stream knows so far; used for streams that are still running as well. */
export const readFold = (fold: StreamFold, http: HttpFacts, notes: Notes): Reading => {
  const usage = bestOf([...fold.slots].flatMap(([slot, block]) => foundIn(slot, block)))
  const complete = fold.isComplete()
  const error = fold.error ?? readProviderError(null, http)
  if (error !== null) notes.add('stream_error')
  else if (!complete && !fold.hasEnded()) notes.add('stream_cut')
  else if (usage === null) notes.add('usage_missing')
  return {
    usage,
    body: fold.around,
    facts: fold.facts,
    error,
    partial: !complete || error !== null,
    batch: false
  }
}

const foundIn = (slot: string, block: Json): Found[] => {
  const family = slot === 'meta' ? 'cohere' : familyOf(block)
  return family === null ? [] : [{ slot, block, family }]
}

const readWhole = (outer: Json, http: HttpFacts, notes: Notes): Reading => {
  const { body, batch } = unwrap(outer)
  const error = readProviderError(body, http) ?? readProviderError(outer, null)
  const usage = bestOf(findUsage(body))
  const facts = noFacts()
  addFacts(facts, body, usage?.block ?? null)
  if (usage === null && error === null) {
    notes.add(hasStrayUsage(body) ? 'usage_unreadable' : 'usage_missing')
  }
  return { usage, body, facts, error, partial: false, batch }
}

const bestOf = (found: readonly Found[]): Found | null => {
  let best: Found | null = null
  let bestRank = SLOT_ORDER.length
  for (const one of found) {
    const rank = SLOT_ORDER.indexOf(one.slot)
    if (rank >= bestRank) continue
    best = one
    bestRank = rank
  }
  return best
}

const nothing = (): Reading => ({
  usage: null,
  body: {},
  facts: noFacts(),
  error: null,
  partial: false,
  batch: false
})

const unreadable = (http: HttpFacts, notes: Notes): Reading => {
  const error = readProviderError(null, http)
  if (error === null) notes.add('body_unreadable')
  return { ...nothing(), error }
}
