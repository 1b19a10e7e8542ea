import { once } from 'node:events'
import { Failure } from '../../../schemas/failure.ts'
import { byteLines, type ByteLine } from '../../collect/normalize/byte-lines.ts'
import {
  normalize,
  type NormalizeInput,
  type Normalized
} from '../../collect/normalize/normalize.ts'
import { reportOf } from '../../collect/normalize/report.ts'
import { decode, readRequestLine } from '../../collect/normalize/request-line.ts'
import { loadBook, type PriceBook } from '../../rates/prices/book.ts'
import { costInUsd, priceUsage } from '../../rates/prices/usage.ts'
import { defineCommand, EXIT, type CommandIo } from '../command.ts'

type Options = {
  as?: string
  model?: string
  emitter?: string
  ndjson?: true
  price?: true
  at?: string
}

/** Turns a result into what is printed; adds prices where they are asked for. */
type Printer = (result: Normalized) => Record<string, unknown>

export default defineCommand({
  summary: 'Read a usage block, response, stream or error of any provider into token buckets.',
  configure: (command) => {
    command
      .option('--as <provider/api>', 'who sent the body; worked out from it when not given')
      .option('--model <name>', 'the model that was asked for')
      .option('--emitter <name@version>', 'software that wrote the block')
      .option('--ndjson', 'one {provider, api, model, body} a line in, one result a line out')
      .option('--price', 'add the cost in USD, by bucket and in all')
      .option('--at <time>', 'time of the price, RFC 3339; now when not given')
  },
  run: async ({ options, io }) => {
    const chosen = options as Options
    const printer = await printerFor(chosen, io)
    return chosen.ndjson === true ? runLines(io, printer) : runOnce(chosen, io, printer)
  }
})

const printerFor = async ({ price, at }: Options, io: CommandIo): Promise<Printer> => {
  if (at !== undefined && price !== true) throw new Failure('E_USAGE', '--at goes with --price')
  if (price !== true) return reportOf
  const timeMs = at === undefined ? io.now().getTime() : Date.parse(at)
  if (Number.isNaN(timeMs)) throw new Failure('E_USAGE', `--at ${at} is not an RFC 3339 time`)
  const book = await loadBook()
  return (result) => ({ ...reportOf(result), ...costOf(result, book, timeMs) })
}

const costOf = (result: Normalized, book: PriceBook, timeMs: number): Record<string, unknown> => {
  const { tokens, provider, request_model, response_model, region, batch } = result
  // Fast mode is told beside the tier, and priced as one.
  const service_tier = result.speed === 'fast' ? 'fast' : result.service_tier
  const { units, iterations } = tokens
  const query = { provider, request_model, response_model, service_tier, region, batch }
  return costInUsd(priceUsage(book, { ...query, tokens, units, iterations, timeMs }))
}

const runOnce = async (options: Options, io: CommandIo, printer: Printer): Promise<number> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of io.stdin as AsyncIterable<unknown>) {
    chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Uint8Array))
  }
  const text = decode(Buffer.concat(chunks))
  if (text.trim() === '') {
    throw new Failure('E_BODY_UNREADABLE', 'there is no body on stdin', {
      hint: 'tally normalize --as openai/chat < body.json'
    })
  }
  const result = normalize({ ...namesOf(options), body: text })
  await write(io, printer(result))
  return result.warnings.includes('body_unreadable') ? EXIT.failure : EXIT.ok
}

/** `--as openai/chat`: everything behind the first slash is the API. */
const namesOf = ({ as, model, emitter }: Options): Omit<NormalizeInput, 'body'> => {
  const slash = as?.indexOf('/') ?? -1
  const provider = slash === -1 ? as : as?.slice(0, slash)
  const api = slash === -1 ? null : as?.slice(slash + 1)
  return {
    provider: provider || null,
    api: api || null,
    model: model ?? null,
    emitter: emitter ?? null
  }
}

const runLines = async (io: CommandIo, printer: Printer): Promise<number> => {
  let number = 0
  for await (const line of byteLines(io.stdin)) {
    number += 1
    await write(io, resultOf(line, number, printer))
  }
  return EXIT.ok
}

const resultOf = (line: ByteLine, number: number, printer: Printer): Record<string, unknown> => {
  try {
    return printer(normalize(readRequestLine(line)))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return { line: number, error: { code: error.code, message: error.message } }
  }
}

/** Waits for a slow reader, so that a long file does not pile up in memory. */
const write = async (io: CommandIo, value: unknown): Promise<void> => {
  if (!io.stdout.write(`${JSON.stringify(value)}\n`)) await once(io.stdout, 'drain')
}
