import { EVENT_FIELDS } from '../../../../schemas/event-fields.ts'
import { isJsonObject, type JsonObject } from '../../json-value.ts'

/** Columns whose field lies deeper than their name: `in_uncached` is `tokens.in_uncached`. */
const NESTED = new Map(
  EVENT_FIELDS.filter(({ path }) => path.includes('.')).map(({ column, path }) => [column, path])
)
const JSON_COLUMNS = new Set(
  EVENT_FIELDS.filter(({ kind }) => kind === 'json').map(({ column }) => column)
)

/**
 * A record with the names of native fields, or of our columns, as a native event. Names that are
 * neither stay, and are refused later with the nearest known one.
 */
export const nativeEvent = (record: JsonObject): JsonObject => {
  const event: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(record)) {
    if (value === null || value === undefined) continue
    const path = NESTED.get(name)
    const known = JSON_COLUMNS.has(name) ? parsedText(value) : value
    if (path === undefined) event[name] = known
    else nest(event, path, known)
  }
  return event
}

const nest = (event: Record<string, unknown>, path: string, value: unknown): void => {
  const [holder = '', name = ''] = path.split('.')
  const known = event[holder]
  event[holder] = { ...(isJsonObject(known) ? known : {}), [name]: value }
}

/** JSON in a column is text; what is no JSON stays what it is, and is refused as such. */
const parsedText = (value: unknown): unknown => {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value) as unknown
  } catch {
    return value
  }
}
