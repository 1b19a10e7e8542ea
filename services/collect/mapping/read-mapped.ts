import type { JsonItem } from '../sources/json-items.ts'
import type { Reading } from '../sources/source.ts'
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
