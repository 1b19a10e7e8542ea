import { isObject, type Json } from './json.ts'
import type { Notes } from './warnings.ts'

/**
 * Where a count stands in a usage block: a path of keys, or a pick out of a list of
 * `{kind, count}` entries, which are added up.
 */
export type Path = readonly string[]
export type Pick = { list: Path; key: string; values: readonly string[]; take: string }
export type Source = Path | Pick

/** Ten billion tokens: a thousand times the largest context window of any model known. */
const COUNT_PLAUSIBLE_MAX = 10_000_000_000
/** Above this, the sum of a block's counts would no longer be exact in a double. */
const COUNT_MAX = 1_000_000_000_000_000

/**
 * Reads a count that nothing vouches for. What is not a safe whole number is unknown (null) and
 * said so; absent and null are unknown without a word.
 */
export const toCount = (value: unknown, at: Source | string, notes: Notes): number | null => {
  if (value === undefined || value === null) return null
  let count = value
  if (typeof value === 'string') {
    if (!/^-?\d{1,16}$/.test(value)) return refuse(at, notes)
    count = Number(value)
    notes.add('count_as_string', sourceName(at))
  }
  if (typeof count === 'bigint') count = Number(count)
  if (typeof count !== 'number' || !Number.isSafeInteger(count)) return refuse(at, notes)
  if (count > COUNT_MAX) return refuse(at, notes)
  if (count < 0) {
    notes.add('count_negative', sourceName(at))
    return null
  }
  if (count > COUNT_PLAUSIBLE_MAX) notes.add('count_implausible', sourceName(at))
  return count === 0 ? 0 : count
}

const refuse = (at: Source | string, notes: Notes): null => {
  notes.add('count_invalid', sourceName(at))
  return null
}

const sourceName = (source: Source | string): string => {
  if (typeof source === 'string') return source
  return isPick(source) ? `${source.list.join('.')}[${source.values[0] ?? ''}]` : source.join('.')
}

export const isPick = (source: Source): source is Pick => !Array.isArray(source)

/** The raw value at a path; a parent of the wrong type is said so and reads as absent. */
const valueAt = (block: Json, path: Path, notes: Notes): unknown => {
  let value: unknown = block
  for (let depth = 0; depth < path.length; depth += 1) {
    if (!isObject(value)) {
      if (value !== undefined && value !== null) {
        notes.add('field_unreadable', path.slice(0, depth).join('.'))
      }
      return undefined
    }
    value = value[path[depth] as string]
  }
  return value
}

const pickSum = (block: Json, pick: Pick, notes: Notes): number | null => {
  const list = valueAt(block, pick.list, notes)
  if (list === undefined || list === null) return null
  if (!Array.isArray(list)) {
    notes.add('field_unreadable', pick.list.join('.'))
    return null
  }
  let sum: number | null = null
  for (const entry of list as unknown[]) {
    if (!isObject(entry)) continue
    const kind = entry[pick.key]
    if (typeof kind !== 'string' || !pick.values.includes(kind)) continue
    const count = toCount(entry[pick.take], pick, notes)
    if (count !== null) sum = (sum ?? 0) + count
  }
  return sum
}

const readSource = (block: Json, source: Source, notes: Notes): number | null => {
  if (isPick(source)) return pickSum(block, source, notes)
  const first = block[source[0] as string]
  if (first === undefined) return null
  const value = source.length === 1 ? first : valueAt(block, source, notes)
  return toCount(value, source, notes)
}

/**
 * Reads one count that may stand in several fields, best witness first. A later witness that
 * disagrees is reported; where the first says 0 and another does not, the other is believed,
 * since gateways fill fields that they do not know with 0.
 */
export const readCount = (block: Json, sources: readonly Source[], notes: Notes): number | null => {
  let found: number | null = null
  for (const source of sources) {
    const count = readSource(block, source, notes)
    if (count === null) continue
    if (found === null) {
      found = count
    } else if (count !== found && count !== 0) {
      notes.add('witnesses_disagree', sourceName(source))
      if (found === 0) found = count
    }
  }
  return found
}

/** Adds counts; unknown parts are skipped, and nothing known gives unknown. */
export const addCounts = (...counts: readonly (number | null)[]): number | null => {
  let sum: number | null = null
  for (const count of counts) if (count !== null) sum = (sum ?? 0) + count
  return sum
}
