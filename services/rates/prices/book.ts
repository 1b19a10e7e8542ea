import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Failure } from '../../../schemas/failure.ts'
import { BookHeader, type BookRow } from './book-row.ts'
import type { Contract } from './contracts.ts'
import { modelNames, type ModelName } from './model-names.ts'
import { canonicalProvider, fallbackProviders, MAKERS } from './providers.ts'

/** The price book in memory. Immutable; lookups only. */
export type PriceBook = {
  header: BookHeader
  rows: readonly BookRow[]
  contracts: readonly Contract[]
  /** Hash of everything that decides a price: part of the generation. */
  version: string
  byName: ReadonlyMap<string, readonly BookRow[]>
}

export const SHIPPED_BOOK = new URL('./book.ndjson', import.meta.url)

const keyOf = (provider: string, name: string): string => `${provider}\n${name}`

/** Builds the index. Earlier rows win over later ones of the same provider, model and period. */
export const createBook = (
  header: BookHeader,
  rows: readonly BookRow[],
  contracts: readonly Contract[] = []
): PriceBook => {
  const byName = new Map<string, BookRow[]>()
  for (const row of rows) {
    for (const name of new Set([row.model.toLowerCase(), ...(row.aliases ?? [])])) {
      const key = keyOf(row.provider, name)
      const list = byName.get(key)
      if (list === undefined) byName.set(key, [row])
      else list.push(row)
    }
  }
  const version = createHash('sha256')
    .update(JSON.stringify([rows, contracts]))
    .digest('hex')
    .slice(0, 16)
  return { header, rows, contracts, version, byName }
}

/** The same book with rows of one's own in front and negotiated prices on top. */
export const bookWith = (
  book: PriceBook,
  own: { rows?: readonly BookRow[]; contracts?: readonly Contract[] }
): PriceBook =>
  createBook(
    book.header,
    [...(own.rows ?? []), ...book.rows],
    [...(own.contracts ?? []), ...book.contracts]
  )

/** Reads a book file: a header line, then one row per line. */
export const parseBook = (text: string): PriceBook => {
  const [first = '', ...lines] = text.split('\n').filter((line) => line !== '')
  try {
    const header = BookHeader.parse(JSON.parse(first))
    return createBook(
      header,
      lines.map((line) => JSON.parse(line) as BookRow)
    )
  } catch (cause) {
    throw new Failure('E_PRICE_BOOK', 'the price book can not be read', {
      hint: 'Rebuild it with `tally prices update`.',
      cause
    })
  }
}

/** The book that ships with the product, or the one in `path`. @throws Failure E_PRICE_BOOK */
export const loadBook = async (path: URL | string = SHIPPED_BOOK): Promise<PriceBook> =>
  parseBook(await readBook(path))

const readBook = async (path: URL | string): Promise<string> => {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new Failure('E_PRICE_BOOK', `no price book can be read from ${String(path)}`, {
      hint: 'Name a book that `tally prices update --out FILE` wrote.',
      cause
    })
  }
}

export type FoundRows = {
  rows: readonly BookRow[]
  /** What had to be supposed to find them. */
  assumptions: string[]
}

/** All rows of a model at a provider, whatever their period; none when the book lacks it. */
export const findRows = (book: PriceBook, provider: string | null, model: string): FoundRows => {
  const names = modelNames(model)
  if (provider === null) return findAtMakers(book, names)
  const own = canonicalProvider(provider)
  for (const at of [own, ...fallbackProviders(own)]) {
    const found = findByNames(book, at, names)
    if (found === null) continue
    if (at !== own) found.assumptions.push(`list price of ${at}`)
    return found
  }
  return { rows: [], assumptions: [] }
}

const findByNames = (
  book: PriceBook,
  provider: string,
  names: readonly ModelName[]
): FoundRows | null => {
  for (const { name, assumed } of names) {
    const rows = book.byName.get(keyOf(provider, name))
    if (rows === undefined) continue
    return { rows, assumptions: assumed === undefined ? [] : [`price of ${name}`] }
  }
  return null
}

const findAtMakers = (book: PriceBook, names: readonly ModelName[]): FoundRows => {
  const found = MAKERS.flatMap((maker) => findByNames(book, maker, names) ?? [])
  const [only] = found
  if (found.length !== 1 || only === undefined) return { rows: [], assumptions: [] }
  const maker = only.rows[0]?.provider ?? ''
  return { rows: only.rows, assumptions: [...only.assumptions, `provider taken to be ${maker}`] }
}
