import type { z } from 'zod'
import {
  EVENT_AHEAD_MS_MAX,
  EVENT_TIME_MS_MIN,
  KINDS,
  TokenCounts,
  UsageEvent
} from '../../schemas/event.ts'
import type { RecordContent } from '../flight/recorder.ts'
import { faultAt, type Fault } from './fault.ts'
import { nearestName } from './nearest-name.ts'
import { plainEvent } from './plain-event.ts'
import { usageFault } from './usage-fault.ts'

/** What an event must satisfy beyond its schema, on the path by which it came. */
export type EventRules = {
  nowMs: number
  /** The only tenant that the sender may report for; null = any. */
  tenantOnly: string | null
  /** Items that one message may hold. */
  itemsMax: number
  /** Keeps contents where a tenant's policy says so; absent or null = all content is dropped. */
  record?: RecordContent | null
  /**
   * Names that may still be looked up for what was meant by an unknown one: that costs a hundred
   * times what finding it unknown does. Absent = any number.
   */
  suggestions?: { left: number }
}

export type Place = { index: number; at: string }
export type Checked = { event: UsageEvent } | { faults: Fault[] }

const MS_PER_HOUR = 3_600_000

/** Objects whose fields are closed, by the path at which they stand in an event. */
const KNOWN_FIELDS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(UsageEvent.shape),
  tokens: Object.keys(TokenCounts.shape),
  local: Object.keys(UsageEvent.shape.local.unwrap().unwrap().shape),
  prefix: Object.keys(UsageEvent.shape.prefix.unwrap().unwrap().shape)
}

/**
 * Judges one candidate for a native event: schema, own keys only, time range, tenant binding.
 * @returns the event, or every fault that was found in it.
 */
export const checkEvent = (candidate: unknown, place: Place, rules: EventRules): Checked => {
  const plain = plainEvent(candidate)
  const parsed =
    plain === null ? UsageEvent.safeParse(candidate) : { success: true as const, data: plain }
  if (!parsed.success) {
    const faults = parsed.error.issues.flatMap((issue) =>
      issueFaults(issue, candidate, place, rules)
    )
    return { faults: oncePerField([...faults, ...statedTimeFaults(candidate, place, rules)]) }
  }
  const event = parsed.data
  const fault =
    poisonFault(candidate, place) ??
    countFault(event, place) ??
    timeFault(event.time, place, rules) ??
    tenantFault(event, place, rules)
  return fault === null ? { event } : { faults: [fault] }
}

/**
 * A misspelt field explains a missing one, so unknown fields come first; of several complaints
 * about one value the first says enough.
 */
const oncePerField = (faults: Fault[]): Fault[] => {
  const isUnknown = (fault: Fault): number => Number(fault.nearest === null)
  const seen = new Set<string | null>()
  return faults
    .toSorted((a, b) => isUnknown(a) - isUnknown(b))
    .filter(({ field }) => !seen.has(field) && seen.add(field))
}

const statedTimeFaults = (candidate: unknown, place: Place, rules: EventRules): Fault[] => {
  const time = valueAt(candidate, ['time'])
  if (typeof time !== 'string') return []
  const fault = timeFault(time, place, rules)
  return fault === null ? [] : [fault]
}

const issueFaults = (
  issue: z.core.$ZodIssue,
  candidate: unknown,
  place: Place,
  rules: EventRules
): Fault[] => {
  const path = issue.path.map(String)
  const field = path.join('.') || null
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const name = meant(key, KNOWN_FIELDS[path.join('.')] ?? [], rules)
      return unknownField(key, path, valueAt(candidate, [...path, key]), { place, name })
    })
  }
  const value = valueAt(candidate, issue.path)
  const nearest =
    issue.code === 'invalid_value' && typeof value === 'string'
      ? meant(value, issue.values.map(String), rules)
      : null
  const subject = field ?? 'the event'
  const told =
    value === undefined || value === null
      ? `${subject} is required`
      : `${subject}: ${issue.message}`
  return [faultAt(place, { code: 'E_EVENT_INVALID', message: told, field, value, nearest })]
}

/** The known name that was meant, as long as the message may ask for one. */
const meant = (
  name: string,
  known: readonly string[],
  { suggestions }: EventRules
): string | null => {
  if (suggestions !== undefined && --suggestions.left < 0) return null
  return nearestName(name, known)
}

const unknownField = (
  key: string,
  path: string[],
  value: unknown,
  { place, name }: { place: Place; name: string | null }
): Fault => {
  const field = [...path, key].join('.')
  const nearest = name === null ? null : [...path, name].join('.')
  const question =
    nearest === null ? 'put labels of your own into tags' : `did you mean ${nearest}?`
  return faultAt(place, {
    code: 'E_EVENT_INVALID',
    message: `${field} is not a field of an event; ${question}`,
    field,
    nearest,
    value
  })
}

const valueAt = (candidate: unknown, path: readonly PropertyKey[]): unknown => {
  let value = candidate
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Record<PropertyKey, unknown>)[key]
  }
  return value
}

/** Free-form objects, in which JSON may carry a key that JavaScript treats specially. */
const FREE_FORM = ['tags', 'usage'] as const

/** `__proto__` as a key would be dropped silently by copies of the object: refuse it instead. */
const poisonFault = (candidate: unknown, place: Place): Fault | null => {
  for (const name of FREE_FORM) {
    const value = (candidate as Record<string, unknown>)[name]
    if (typeof value === 'object' && value !== null && Object.hasOwn(value, '__proto__')) {
      const field = `${name}.__proto__`
      const message = `${field} can not be kept; rename the key`
      return faultAt(place, { code: 'E_EVENT_INVALID', message, field })
    }
  }
  return null
}

const countFault = ({ usage }: UsageEvent, place: Place): Fault | null => {
  const found = usage === undefined || usage === null ? null : usageFault(usage)
  if (found === null) return null
  const { field, value, message } = found
  return faultAt(place, { code: 'E_EVENT_INVALID', message: `${field} ${message}`, field, value })
}

const timeFault = (time: string, place: Place, { nowMs }: EventRules): Fault | null => {
  const timeMs = Date.parse(time)
  const complain = (message: string): Fault =>
    faultAt(place, { code: 'E_EVENT_TIME', message, field: 'time', value: time })
  if (Number.isNaN(timeMs)) return complain('time is not a time that exists')
  if (timeMs < EVENT_TIME_MS_MIN) {
    const earliest = new Date(EVENT_TIME_MS_MIN).toISOString()
    return complain(`time lies before ${earliest}: check the clock and the unit (RFC 3339)`)
  }
  if (timeMs > nowMs + EVENT_AHEAD_MS_MAX) {
    const hours = Math.round((timeMs - nowMs) / MS_PER_HOUR)
    return complain(`time lies ${hours} h in the future; at most 24 h are accepted`)
  }
  return null
}

const tenantFault = (event: UsageEvent, place: Place, { tenantOnly }: EventRules): Fault | null =>
  tenantOnly === null || event.tenant === tenantOnly
    ? null
    : faultAt(place, {
        code: 'E_FORBIDDEN',
        message: 'tenant is not the one that the API key is bound to',
        field: 'tenant',
        value: event.tenant
      })

/** Kinds by name, for dialects that translate into them. */
export const isKind = (name: string): name is (typeof KINDS)[number] =>
  (KINDS as readonly string[]).includes(name)
