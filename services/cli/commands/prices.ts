import { Failure } from '../../../schemas/failure.ts'
import { defineCommand } from '../command.ts'
import { diffPrices } from '../prices/diff.ts'
import { explainPrices } from '../prices/explain.ts'
import type { PricesOptions } from '../prices/options.ts'
import { repricePrices } from '../prices/reprice.ts'
import { updatePrices } from '../prices/update.ts'

export default defineCommand({
  summary: 'Show, compare and rebuild the price book; price a month again.',
  configure: (command) => {
    command
      .argument('<verb>', 'explain MODEL, diff BOOK [BOOK], update, reprice')
      .argument('[names...]', 'a model, or one or two book files')
      .option('--at <time>', 'explain: time of the price, RFC 3339; now when not given')
      .option('--provider <name>', 'explain: who served')
      .option('--tier <name>', 'explain: service tier, or batch')
      .option('--contracts <file>', 'explain, reprice: negotiated prices and custom models')
      .option('--book <file>', 'a book in place of the one shipped')
      .option('--litellm <file>', "update: LiteLLM's model_prices_and_context_window.json")
      .option('--litellm-version <version>', 'update: its release')
      .option('--genai <file>', 'update: providers of genai-prices as JSON')
      .option('--genai-version <version>', 'update: its release')
      .option('--genai-date <date>', 'update: its date')
      .option('--history <file>', "update: older releases of LiteLLM's table, NDJSON or .gz")
      .option('--witness <file>', 'update: dated list prices to compare with, CSV')
      .option('--out <file>', 'update: where the book goes; the shipped one when not given')
      .option('--data <dir>', 'reprice: folder of the lake')
      .option('--month <month>', 'reprice: the month, such as 2026-10')
      .option('--rules <file>', 'reprice: the allocation rules that charges are booked with')
      .option('--apply', 'reprice: book the difference beside what was charged')
  },
  run: async ({ args, options, io }) => {
    const [verb, ...names] = args
    const chosen = options as PricesOptions
    if (verb === 'explain') return explainPrices(names, chosen, io)
    if (verb === 'diff') return diffPrices(names, chosen, io)
    if (verb === 'update') return updatePrices(chosen, io)
    if (verb === 'reprice') return repricePrices(chosen, io)
    throw new Failure('E_USAGE', `tally prices has no verb "${verb ?? ''}"`, {
      hint: 'tally prices explain MODEL | diff BOOK [BOOK] | update | reprice'
    })
  }
})
