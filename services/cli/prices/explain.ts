import { Failure } from '../../../schemas/failure.ts'
import { bookWith, loadBook, SHIPPED_BOOK } from '../../rates/prices/book.ts'
import { parseContracts } from '../../rates/prices/contracts.ts'
import { explainModel, type Explained, type ExplainedRow } from '../../rates/prices/explain.ts'
import { EXIT, type CommandIo } from '../command.ts'
import { readTable, type PricesOptions } from './options.ts'

const timeOf = (at: string | undefined, io: CommandIo): number => {
  const timeMs = at === undefined ? io.now().getTime() : Date.parse(at)
  if (Number.isNaN(timeMs)) {
    throw new Failure('E_USAGE', `--at ${at} is not an RFC 3339 time`, {
      hint: 'Write it as 2026-10-05T12:00:00Z.'
    })
  }
  return timeMs
}

/** What the book says of a model. Exits 1 when it says nothing. */
export const explainPrices = async (
  names: string[],
  options: PricesOptions,
  io: CommandIo
): Promise<number> => {
  const [model] = names
  if (model === undefined || names.length > 1) {
    throw new Failure('E_USAGE', 'give one model', {
      hint: 'tally prices explain MODEL [--at TIME]'
    })
  }
  const shipped = await loadBook(options.book ?? SHIPPED_BOOK)
  const own =
    options.contracts === undefined ? {} : parseContracts(await readTable(options.contracts))
  const found = explainModel(
    bookWith(shipped, own),
    {
      provider: options.provider ?? null,
      request_model: null,
      response_model: model,
      service_tier: options.tier ?? null,
      region: null,
      batch: null,
      provider_account: null
    },
    timeOf(options.at, io)
  )
  io.stdout.write(options.json === true ? `${JSON.stringify(found)}\n` : textOf(found))
  return found.rows.length === 0 ? EXIT.failure : EXIT.ok
}

const textOf = ({ model, at, price, unpriced, rows }: Explained): string => {
  const head =
    price === null
      ? [`${model} at ${at}: ${unpriced}`]
      : [`${model} at ${at}: ${price.price_id}`, `  ${list(price.usd_per_million)}`]
  return [...head, ...rows.flatMap(rowText)].map((line) => `${line}\n`).join('')
}

const rowText = (row: ExplainedRow): string[] => [
  `${row.provider}/${row.model}${row.region === null ? '' : ` in ${row.region}`}, ${row.from ?? 'start'} to ${row.to ?? 'now'} (${row.sources.join(', ')})`,
  ...Object.entries(row.usd_per_million).flatMap(([tier, sizes]) =>
    sizes.map(({ from_tokens, rates }) => {
      const size = from_tokens === 0 ? '' : ` from ${from_tokens} input tokens`
      return `  ${tier}${size}: ${list(rates)}`
    })
  ),
  ...row.hours.map(
    ({ utc, weekdays, usd_per_million: rates }) =>
      `  ${utc.join(', ')} UTC, weekdays ${weekdays.join(' ')}: ${list(rates)}`
  ),
  ...Object.entries(row.multipliers).map(([name, times]) => `  ${name}: × ${times}`),
  ...(Object.keys(row.usd_per_unit).length > 0 ? [`  per unit: ${list(row.usd_per_unit)}`] : []),
  ...row.disagreements.map(
    ({ what, usd_per_million }) => `  sources disagree on ${what}: ${list(usd_per_million)}`
  ),
  ...row.notes.map((note) => `  note: ${note}`)
]

const list = (rates: Record<string, string>): string =>
  Object.entries(rates)
    .map(([name, usd]) => `${name} $${usd}`)
    .join(', ')
