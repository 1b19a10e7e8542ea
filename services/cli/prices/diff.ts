import { Failure } from '../../../schemas/failure.ts'
import { loadBook, SHIPPED_BOOK } from '../../rates/prices/book.ts'
import { diffBooks } from '../../rates/prices/diff.ts'
import { EXIT, type CommandIo } from '../command.ts'
import type { PricesOptions } from './options.ts'

/** What differs between two books, or between the shipped one and another. */
export const diffPrices = async (
  names: string[],
  options: PricesOptions,
  io: CommandIo
): Promise<number> => {
  const [first, second] = names
  if (first === undefined) {
    throw new Failure('E_USAGE', 'give a book to compare with', {
      hint: 'tally prices diff BOOK compares the shipped one with it, diff OLD NEW two.'
    })
  }
  const before = second === undefined ? await loadBook(SHIPPED_BOOK) : await loadBook(first)
  const differences = diffBooks(before, await loadBook(second ?? first))
  for (const difference of differences) {
    const { provider, model, from, what, prices } = difference
    const changes = prices.map(({ name, before: old, after }) => `${name} ${old} → ${after}`)
    io.stdout.write(
      options.json === true
        ? `${JSON.stringify(difference)}\n`
        : `${what} ${provider}/${model}@${from ?? 'start'} ${changes.join(', ')}\n`
    )
  }
  return EXIT.ok
}
