import type { BookHeader, BookRow } from '../book-row.ts'
import { modelNames } from '../model-names.ts'

/** Name without its release date: what releases of one model have in common. */
const family = (model: string): string => modelNames(model).at(-1)?.name ?? model

/** Releases of one model with equal prices share a row; the shortest name stands for all. */
export const shareRows = (rows: readonly BookRow[]): BookRow[] => {
  const groups = new Map<string, BookRow[]>()
  for (const periods of byModel(rows.map(ordered)).values()) {
    const [first] = periods
    if (first === undefined) continue
    const content = periods.map((row) => ({ ...row, model: '', aliases: [], notes: [] }))
    const key = JSON.stringify([family(first.model), content])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [...periods])
    else addAlias(group, periods)
  }
  return [...groups.values()].flat()
}

const byModel = (rows: readonly BookRow[]): Map<string, BookRow[]> => {
  const models = new Map<string, BookRow[]>()
  for (const row of rows) {
    const key = [row.provider, row.region ?? '', row.model].join('\n')
    models.set(key, [...(models.get(key) ?? []), row])
  }
  return models
}

const addAlias = (group: BookRow[], periods: readonly BookRow[]): void => {
  const names = new Set(
    [...group, ...periods].flatMap(({ model, aliases }) => [model, ...(aliases ?? [])])
  )
  const [shortest = '', ...others] = [...names].toSorted(
    (left, right) => left.length - right.length || (left < right ? -1 : 1)
  )
  group.forEach((row, index) => {
    const notes = [...new Set([...(row.notes ?? []), ...(periods[index]?.notes ?? [])])]
    group[index] = {
      ...row,
      model: shortest,
      aliases: others,
      ...(notes.length > 0 && { notes })
    }
  })
}

const ORDER = [
  'provider',
  'model',
  'region',
  'aliases',
  'from',
  'to',
  'dated',
  'mode',
  'sources',
  'cards',
  'tierPermille',
  'regionPermille',
  'windows',
  'units',
  'notes',
  'disagreements'
] as const satisfies readonly (keyof BookRow)[]

/** Rates, units and tiers by name, fields in one order: equal prices are equal text. */
const ordered = (row: BookRow): BookRow =>
  Object.fromEntries(
    ORDER.flatMap((name) => (row[name] === undefined ? [] : [[name, sortKeys(row[name])]]))
  ) as BookRow

const sortKeys = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1))
  return Object.fromEntries(entries.map(([name, inner]) => [name, sortKeys(inner)]))
}

/** The book file: header, then rows in a fixed order so that two builds compare line by line. */
export const writeBook = (header: BookHeader, rows: readonly BookRow[]): string => {
  const order = ({ provider, model, region, from }: BookRow): string =>
    [provider, model, region ?? '', from ?? ''].join('\n')
  const sorted = rows.map(ordered).toSorted((left, right) => (order(left) < order(right) ? -1 : 1))
  return [header, ...sorted].map((entry) => `${JSON.stringify(entry)}\n`).join('')
}
