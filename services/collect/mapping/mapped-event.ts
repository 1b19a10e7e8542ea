import { contentHash } from '../content-hash.ts'
import { faultAt, type Fault } from '../fault.ts'
import { convert, Misfit } from './convert.ts'
import type { FieldMap, Filler } from './map-file.ts'
import { valueAt } from './path.ts'

type Place = { index: number; at: string }
type Holder = Record<string, unknown>

/** The native event that a value becomes, or what in it can not; null when it is of no interest. */
export const mappedEvent = (
  value: unknown,
  { when, fillers }: FieldMap,
  place: Place
): { event: Holder } | { faults: Fault[] } | null => {
  if (when !== null && !when.values.includes(valueAt(value, when.path))) return null
  const event: Holder = {}
  const faults: Fault[] = []
  for (const filler of fillers) {
    const fault = fill(event, value, filler, place)
    if (fault !== null) faults.push(fault)
  }
  event['id'] ??= contentHash(value)
  return faults.length > 0 ? { faults } : { event }
}

const fill = (event: Holder, value: unknown, filler: Filler, place: Place): Fault | null => {
  const { field, paths, words, constant, conversion, isRequired } = filler
  const path = paths.find((one) => valueAt(value, one) !== undefined)
  const found = path === undefined ? constant : valueAt(value, path)
  if (found === undefined) return isRequired ? nothingAt(filler, place) : null
  try {
    const known = typeof found === 'string' && Object.hasOwn(words, found) ? words[found] : found
    set(event, field, convert(known, conversion))
    return null
  } catch (error) {
    if (!(error instanceof Misfit)) throw error
    const message = `${field}: what stands at ${path?.text ?? 'value'} ${error.message}`
    return faultAt(place, { code: 'E_EVENT_INVALID', message, field, value: found })
  }
}

const nothingAt = ({ field, paths }: Filler, place: Place): Fault => {
  const places = paths.map(({ text }) => text).join(' or ')
  const message = `${field} is required, and nothing stands at ${places}`
  return faultAt(place, { code: 'E_EVENT_INVALID', message, field })
}

/** `tokens.in_uncached` is a field of an object; `tags.a.b` is the label `a.b`. */
const set = (event: Holder, field: string, value: unknown): void => {
  const dot = field.indexOf('.')
  if (dot === -1) {
    event[field] = value
    return
  }
  const name = field.slice(0, dot)
  const holder = (event[name] ?? {}) as Holder
  event[name] = { ...holder, [field.slice(dot + 1)]: value }
}
