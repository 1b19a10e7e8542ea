import type { UsageEvent } from '../../schemas/event.ts'
import { Failure } from '../../schemas/failure.ts'
import type { OutRecord } from '../stream/log.ts'
import { fillLocalCounts, newBudget, type Budget } from './count/local-counts.ts'
import { checkEvent, type EventRules, type Place } from './check-event.ts'
import { eventRecord } from './event-record.ts'
import { faultAt, type Fault } from './fault.ts'
import type { Item, Message, Source } from './sources/source.ts'

/**
 * From one message to records for the log: the only way in, for HTTP, files and topics alike, so
 * that the same input gives the same rows whichever way it came.
 */
export type Intake = {
  records: OutRecord[]
  /** Start of the latest event in milliseconds since the epoch, for the lag; null without one. */
  latestMs: number | null
  faults: Fault[]
  ignored: number
}

/** An answer names a hundred faults; nobody reads what was meant in others. */
const SUGGESTIONS_MAX = 200

/**
 * @throws Failure E_BODY_UNREADABLE when the message as a whole can not be decoded,
 *   E_BODY_TOO_LARGE when it holds too many items.
 */
export const takeIn = (source: Source, message: Message, rules: EventRules): Intake => {
  const { items, faults, ignored } = source.read(message)
  if (items.length > rules.itemsMax) {
    throw new Failure('E_BODY_TOO_LARGE', `the message holds ${items.length} events`, {
      hint: `At most ${rules.itemsMax} events are taken at once; send smaller batches.`
    })
  }
  const intake: Intake = { records: [], latestMs: null, faults: [...faults], ignored }
  const suggestions = { left: SUGGESTIONS_MAX }
  const work: Work = { message, rules: { ...rules, suggestions }, intake, budget: newBudget() }
  for (const item of items) takeItem(item, work)
  intake.faults.sort((a, b) => a.index - b.index)
  return intake
}

/** What is shared by the items of one message; what may be spent on counting is. */
type Work = { message: Message; rules: EventRules; intake: Intake; budget: Budget }

const takeItem = (item: Item, { message, rules, intake, budget }: Work): void => {
  const checked = checkEvent(withTenant(item.event, message.tenant), item, rules)
  if ('faults' in checked) {
    intake.faults.push(...checked.faults)
    return
  }
  try {
    if (item.said !== undefined) fillLocalCounts(checked.event, item.said(), budget)
    recordContent(checked.event, item, rules)
    intake.records.push(eventRecord(checked.event))
    intake.latestMs = Math.max(intake.latestMs ?? 0, Date.parse(checked.event.time))
  } catch (error) {
    intake.faults.push(encodingFault(error, item))
  }
}

/** The flight recorder's reference takes the place of content that is otherwise dropped. */
const recordContent = (event: UsageEvent, { content }: Item, { record }: EventRules): void => {
  if (record == null || content === undefined) return
  const said = content()
  if (said != null) event.content_ref = record(event, said) ?? event.content_ref
}

/** An event that names no tenant belongs to the one that the sender is known as. */
export const withTenant = (event: unknown, tenant: string | null): unknown => {
  if (tenant === null || typeof event !== 'object' || event === null) return event
  const named = (event as { tenant?: unknown }).tenant
  return named === undefined || named === null ? { ...event, tenant } : event
}

const encodingFault = (error: unknown, place: Place): Fault => {
  if (!(error instanceof Failure)) throw error
  const message = error.hint === undefined ? error.message : `${error.message}. ${error.hint}`
  return faultAt(place, { code: error.code, message })
}
