import type { BookRow } from '../book-row.ts'
import { combine, type Source } from './cards.ts'
import { complete } from './complete.ts'
import { listedNames, matches, names } from './genai-match.ts'
import type { GenaiModel, GenaiPeriod } from './genai.ts'
import { historyKey, sameBase, type Observed, type PriceHistory } from './history.ts'

const GENAI = 'genai-prices'
const LITELLM = 'litellm'

export type Tables = {
  litellm: readonly BookRow[]
  genai: readonly GenaiModel[]
  history: PriceHistory
  litellmDate: string
}

type Context = Tables & { taken: ReadonlySet<string> }

/** One row per model, region and period, from all sources, with what they disagree on. */
export const mergeTables = (tables: Tables): BookRow[] => {
  const listed = new Map<string, BookRow>()
  for (const row of tables.litellm) {
    const key = historyKey(row.provider, row.model, row.region)
    const first = listed.get(key)
    listed.set(key, first === undefined ? row : withOtherSpelling(first, row))
  }
  const taken = new Set([...listed.values()].map((row) => historyKey(row.provider, row.model)))
  const context = { ...tables, taken }
  const fromLitellm = [...listed.values()].flatMap((row) => withGenai(row, context))
  const fromGenai = tables.genai.flatMap((model) => onlyGenai(model, taken))
  return [...fromLitellm, ...fromGenai].map(complete).filter(isCharged)
}

/** The table lists some models twice, under two spellings of their provider. */
const withOtherSpelling = (first: BookRow, second: BookRow): BookRow => {
  const { cards, units, disagreements } = combine(
    { id: LITELLM, cards: first.cards, units: first.units ?? {} },
    { id: `${LITELLM}, second entry`, cards: second.cards, units: second.units ?? {} }
  )
  return {
    ...first,
    cards,
    ...(Object.keys(units).length > 0 && { units }),
    ...(disagreements.length > 0 && { disagreements })
  }
}

/** A table of zeros says that nobody entered a price, except where the name says `free`. */
const isCharged = (row: BookRow): boolean =>
  Object.keys(row.units ?? {}).length > 0 ||
  row.model.endsWith(':free') ||
  Object.values(row.cards).some(({ rates }) => Object.values(rates).some((pico) => pico > 0))

const withGenai = (row: BookRow, tables: Context): BookRow[] => {
  const candidates = tables.genai.filter(
    (model) => model.providers.includes(row.provider) && row.region === undefined
  )
  const model =
    candidates.find(({ id }) => id === row.model) ??
    candidates.find(({ match }) => names(match, row.model))
  if (model !== undefined) return periodsWith(row, model, tables)
  const relative = candidates.find(({ match }) => matches(match, row.model))
  const observed = observedPeriods(row, tables)
  if (relative === undefined) return observed
  const note = `${GENAI} covers this name by likeness with ${relative.id}: not followed`
  return observed.map((period) => ({ ...period, notes: [...(period.notes ?? []), note] }))
}

const periodsWith = (row: BookRow, model: GenaiModel, tables: Context): BookRow[] => {
  const seen = tables.history.get(historyKey(row.provider, row.model)) ?? []
  const listed = row.model === model.id ? listedNames(model.match) : []
  const aliases = listed.filter((name) => !tables.taken.has(historyKey(row.provider, name)))
  return model.periods.map((period, index) => {
    const next = model.periods[index + 1]?.from ?? null
    const isCurrent =
      (period.from ?? '') <= tables.litellmDate && (next === null || tables.litellmDate < next)
    const bounds = {
      ...(aliases.length > 0 && { aliases }),
      ...(period.from !== null && { from: period.from, dated: 'stated' as const }),
      ...(next !== null && { to: next })
    }
    if (!isCurrent)
      return { ...otherPeriod(row, period, { seen, isLast: next === null }), ...bounds }
    return { ...currentPeriod(row, period, seen), ...bounds }
  })
}

const currentPeriod = (row: BookRow, period: GenaiPeriod, seen: readonly Observed[]): BookRow => {
  const ours: Source = { id: LITELLM, cards: row.cards, units: row.units ?? {} }
  const theirs: Source = { id: GENAI, cards: period.cards, units: period.units }
  const hasHours = row.windows !== undefined
  const merged = hasHours ? combine(ours, ours) : combine(theirs, ours)
  const { cards, units, disagreements, notes } = merged
  const earlier = seen.filter((old) => !sameBase(old.cards['standard'], row.cards['standard']))
  const corrected = earlier.map((old) => `${LITELLM} ${old.version} listed another price`)
  const all = [...notes, ...(period.from === null ? corrected : [])]
  return {
    ...row,
    sources: hasHours ? [LITELLM] : [GENAI, LITELLM],
    cards,
    ...(!hasHours && hoursOf(period, true)),
    ...(Object.keys(units).length > 0 && { units }),
    ...keepDisagreements(row, disagreements),
    ...(all.length > 0 && { notes: all })
  }
}

const keepDisagreements = (
  row: BookRow,
  found: BookRow['disagreements'] = []
): Partial<BookRow> => {
  const all = [...(row.disagreements ?? []), ...found]
  return all.length > 0 ? { disagreements: all } : {}
}

type Neighbours = { seen: readonly Observed[]; isLast: boolean }

/** Another stated period; an old table that knew its price adds what it says of tiers. */
const otherPeriod = (row: BookRow, period: GenaiPeriod, { seen, isLast }: Neighbours): BookRow => {
  const old = seen.findLast((entry) => sameBase(entry.cards['standard'], period.cards['standard']))
  const theirs: Source = { id: GENAI, cards: period.cards, units: period.units }
  const source: Source = { id: LITELLM, cards: old?.cards ?? {}, units: {} }
  const { cards, units } = combine(theirs, source)
  return {
    provider: row.provider,
    model: row.model,
    ...(row.mode && { mode: row.mode }),
    sources: old === undefined ? [GENAI] : [GENAI, `${LITELLM} ${old.version}`],
    cards,
    ...(row.regionPermille && { regionPermille: row.regionPermille }),
    ...(row.tierPermille && { tierPermille: row.tierPermille }),
    ...hoursOf(period, isLast),
    ...(Object.keys(units).length > 0 && { units })
  }
}

/** genai-prices can not date hours of the day: they belong to the newest prices only. */
const hoursOf = ({ windows }: GenaiPeriod, isLast: boolean): Partial<BookRow> => {
  if (windows.length === 0) return {}
  return isLast ? { windows } : { notes: ['hours with other prices are not known for this period'] }
}

/** Nobody states dates: each release of the table that shows a new price starts a period. */
const observedPeriods = (row: BookRow, tables: Tables): BookRow[] => {
  const seen = tables.history.get(historyKey(row.provider, row.model, row.region)) ?? []
  const changes = seen.filter(
    (old, index) =>
      index === 0 || !sameBase(old.cards['standard'], seen[index - 1]?.cards['standard'])
  )
  const last = changes.at(-1)
  if (changes.length < 2 || !sameBase(last?.cards['standard'], row.cards['standard'])) return [row]
  return changes.map((change, index) => {
    const next = changes[index + 1]
    return {
      ...row,
      ...(index > 0 && { from: change.date, dated: 'observed' as const }),
      ...(next !== undefined && {
        to: next.date,
        cards: change.cards,
        sources: [`${LITELLM} ${change.version}`]
      })
    }
  })
}

const onlyGenai = (model: GenaiModel, taken: ReadonlySet<string>): BookRow[] => {
  const provider = model.providers[0] ?? ''
  if (model.providers.some((at) => taken.has(historyKey(at, model.id)))) return []
  const own = [
    ...new Set([...(matches(model.match, model.id) ? [model.id] : []), ...listedNames(model.match)])
  ]
  const free = own.filter((name) =>
    model.providers.every((candidate) => !taken.has(historyKey(candidate, name)))
  )
  const [name, ...aliases] = free
  if (name === undefined) return []
  return model.periods.map((period, index) => {
    const next = model.periods[index + 1]?.from ?? null
    return {
      provider,
      model: name,
      ...(aliases.length > 0 && { aliases }),
      ...(period.from !== null && { from: period.from, dated: 'stated' as const }),
      ...(next !== null && { to: next }),
      sources: [GENAI],
      cards: period.cards,
      ...hoursOf(period, next === null),
      ...(Object.keys(period.units).length > 0 && { units: period.units })
    }
  })
}
