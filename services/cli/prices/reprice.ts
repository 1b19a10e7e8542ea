import { parseMonth } from '../../../jobs/chargeback/month.ts'
import { reprice, type Repriced } from '../../../jobs/chargeback/reprice.ts'
import { Failure } from '../../../schemas/failure.ts'
import { bookWith, loadBook } from '../../rates/prices/book.ts'
import { parseContracts } from '../../rates/prices/contracts.ts'
import { openChargeSite, readText } from '../charge-site.ts'
import { EXIT, type CommandIo } from '../command.ts'
import type { PricesOptions } from './options.ts'

/** Shows what another book or contracts make of a month's charges; books it with `--apply`. */
export const repricePrices = async (options: PricesOptions, io: CommandIo): Promise<number> => {
  const { data, month: name, book, contracts, apply, json } = options
  if (data === undefined || name === undefined) {
    throw new Failure('E_USAGE', 'give --data DIR and --month MONTH', {
      hint: 'tally prices reprice --data DIR --month 2026-10 [--book FILE] [--contracts FILE] [--apply]'
    })
  }
  const month = parseMonth(name)
  const site = await openChargeSite({ ...options, data })
  try {
    const books = book === undefined ? site.books : await booksOf(book, contracts)
    const { tags } = site.rules
    const found = await reprice(site, { ...month, books, tags, isApplied: apply === true })
    io.stdout.write(json === true ? `${JSON.stringify(found)}\n` : textOf(found))
    if (found.booking === null && found.lines.length > 0)
      io.stderr.write('nothing was booked; --apply books the difference\n')
    return EXIT.ok
  } finally {
    site.close()
  }
}

const booksOf = async (file: string, contracts: string | undefined) => {
  const list = await loadBook(file)
  if (contracts === undefined) return { list, contracted: list }
  const own = parseContracts(await readText(contracts))
  return { list: bookWith(list, { rows: own.rows }), contracted: bookWith(list, own) }
}

const textOf = (found: Repriced): string => {
  const lines = found.lines.map(
    ({ provider, model, meter, charged_usd, repriced_usd, difference_usd }) =>
      `${provider ?? '?'}/${model ?? '?'} ${meter}: $${charged_usd} → $${repriced_usd} (${signed(difference_usd)})`
  )
  const days =
    found.days === 0
      ? 'no settled days'
      : `${found.days} days, ${found.first_day} to ${found.last_day}`
  const booked = [
    ...(found.corrects.length > 0
      ? [`corrects ${found.corrects.join(', ')}, which is closed`]
      : []),
    ...(found.booking === null ? [] : [`booked as number ${found.booking}`])
  ]
  const sum = `${days}: $${found.charged_usd} → $${found.repriced_usd} (${signed(found.difference_usd)})`
  return [...lines, sum, ...booked].map((line) => `${line}\n`).join('')
}

const signed = (usd: string): string => (usd.startsWith('-') ? usd : `+${usd}`)
