import { Failure } from '../../schemas/failure.ts'

/**
 * What a provider says it charged, in one shape for every kind of export. A line may carry tokens,
 * money or both: usage reports have no money, some cost reports no tokens.
 */
export type BillLine = {
  provider: string
  /** Invoice that the line is on, where the bill names one. */
  invoiceId?: string
  /** Model as the bill names it; null for charges without one. */
  model: string | null
  /** Bucket of the bill, milliseconds since the epoch, half-open. */
  fromMs: number
  toMs: number
  meter: Meter
  /** Tier of the book; null when the bill does not tell tiers apart. */
  tier: string | null
  /** Tokens or units; null when the bill gives none. */
  quantity: number | null
  /** Calls behind the line; null when not told. */
  requests: number | null
  /** Money; null in a usage report. */
  amountPico: bigint | null
  /** Half of the last digit that the bill prints. */
  roundingPico: bigint
  /** Text of the line as the bill has it. */
  label: string
  /** Every field that tells this line from others; two equal ones are the same charge twice. */
  identity: string
}

/** Token meters as bills split them; `in` and `all` are sums over what a bill does not split. */
export const TOKEN_METERS = [
  'in_uncached',
  'in_cache_read',
  'in_cache_write_5m',
  'in_cache_write_30m',
  'in_cache_write_1h',
  'in_cache_write_12h',
  'in_cache_write',
  'in',
  'out',
  'all'
] as const
export type TokenMeter = (typeof TOKEN_METERS)[number]

/** `unit:web_search` and the like, `credit` for credits, taxes and fees, `unknown` for the rest. */
export type Meter = TokenMeter | `unit:${string}` | 'credit' | 'unknown'

export const isTokenMeter = (meter: Meter): meter is TokenMeter =>
  (TOKEN_METERS as readonly string[]).includes(meter)

/** Reads one kind of export. The importer's path under `importers/` is its name. */
export type BillImporter = {
  /** Where the schema is documented. */
  schema: string
  read: (text: string) => BillLine[]
}

export const defineImporter = (importer: BillImporter): BillImporter => ({
  ...importer,
  read: (text) => billLines(() => importer.read(text))
})

/**
 * Lines whose sizes and times can be worked with, whatever a bill says.
 * @throws Failure E_BILL_UNREADABLE
 */
export const billLines = (read: () => BillLine[]): BillLine[] => {
  try {
    const lines = read()
    lines.forEach(checkLine)
    return lines
  } catch (cause) {
    if (!(cause instanceof Failure) || cause.code !== 'E_PRICE_BOOK') throw cause
    throw new Failure('E_BILL_UNREADABLE', cause.message, { cause })
  }
}

const checkLine = ({ fromMs, toMs, quantity, requests, label }: BillLine): void => {
  const isTime = Number.isFinite(fromMs) && Number.isFinite(toMs) && toMs >= fromMs
  const isSize = Number.isFinite(quantity ?? 0) && Number.isFinite(requests ?? 0)
  if (isTime && isSize) return
  const what = isTime ? 'a quantity that is no number' : 'no period from a start to a later end'
  throw new Failure('E_BILL_UNREADABLE', `the line "${label.slice(0, 80)}" has ${what}`)
}
