import { EVENT_FIELDS } from '../../../../schemas/event-fields.ts'
import { Failure } from '../../../../schemas/failure.ts'
import { jsonItems, type JsonItem } from '../json-items.ts'
import { defineSource, type Message, type Reading } from '../source.ts'
import { loadMap } from './load-map.ts'
import type { FieldMap } from './map-file.ts'
import { mappedEvent } from './mapped-event.ts'
import { valueAt } from './path.ts'

/** The values of a message that may be events. */
const candidatesOf = (item: JsonItem, { items }: FieldMap): JsonItem[] => {
  if (items === null) return [item]
  const found = valueAt(item.value, items)
  if (!Array.isArray(found)) return found === undefined ? [] : [{ ...item, value: found }]
  return (found as unknown[]).map((value, position) => ({
    index: item.index,
    at: `${item.at} ${items.text}[${position}]`,
    value
  }))
}

/** Reads JSON through a mapping. */
export const readMapped = (
  { items, faults }: { items: readonly JsonItem[]; faults: Reading['faults'] },
  map: FieldMap
): Reading => {
  const reading: Reading = { items: [], faults: [...faults], ignored: 0 }
  for (const item of items) {
    const candidates = candidatesOf(item, map)
    if (candidates.length === 0) reading.ignored++
    for (const { index, at, value } of candidates) {
      const found = mappedEvent(value, map, { index, at })
      if (found === null) reading.ignored++
      else if ('faults' in found) reading.faults.push(...found.faults)
      else reading.items.push({ index, at, event: found.event })
    }
  }
  return reading
}

const unconfigured = (): never => {
  throw new Failure('E_USAGE', 'the dialect mapping needs the option map')
}

const mapping = defineSource({
  title: 'Any JSON, by a mapping file',
  about:
    'JSON of any shape, read by a YAML file that says which of its paths fill which native ' +
    'fields (`tally ingest --map map.yaml`): constants, units of time, factors, translated words.',
  doors: [],
  handling: 'lenient',
  framing: 'lines',
  tells: EVENT_FIELDS.map(({ path }) => path),
  options: { map: { about: 'YAML file that maps paths to native fields', required: true } },
  configure: async ({ map: file = '' }) => {
    const map = await loadMap(file)
    return { ...mapping, read: (message: Message) => readMapped(jsonItems(message), map) }
  },
  read: unconfigured
})

export default mapping
