import { readFile, writeFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { fileURLToPath } from 'node:url'
import { Failure } from '../../../schemas/failure.ts'
import {
  bookWith,
  loadBook,
  parseBook,
  SHIPPED_BOOK,
  type PriceBook
} from '../../rates/prices/book.ts'
import { buildBook } from '../../rates/prices/build/build.ts'
import { parseContracts } from '../../rates/prices/contracts.ts'
import { diffBooks } from '../../rates/prices/diff.ts'
import { explainModel, type Explained } from '../../rates/prices/explain.ts'
import { defineCommand, EXIT, type CommandIo } from '../command.ts'

type Options = {
  at?: string
  provider?: string
  tier?: string
  contracts?: string
  book?: string
  out?: string
  litellm?: string
  litellmVersion?: string
  genai?: string
  genaiVersion?: string
  genaiDate?: string
  history?: string
  witness?: string
  json?: true
}

export default defineCommand({
  summary: 'Show, compare and rebuild the price book.',
  configure: (command) => {
    command
      .argument('<verb>', 'explain MODEL, diff BOOK [BOOK], update')
      .argument('[names...]', 'a model, or one or two book files')
      .option('--at <time>', 'explain: time of the price, RFC 3339; now when not given')
      .option('--provider <name>', 'explain: who served')
      .option('--tier <name>', 'explain: service tier, or batch')
      .option('--contracts <file>', 'explain: negotiated prices and custom models')
      .option('--book <file>', 'a book in place of the one shipped')
      .option('--litellm <file>', "update: LiteLLM's model_prices_and_context_window.json")
      .option('--litellm-version <version>', 'update: its release')
      .option('--genai <file>', 'update: providers of genai-prices as JSON')
      .option('--genai-version <version>', 'update: its release')
      .option('--genai-date <date>', 'update: its date')
      .option('--history <file>', "update: older releases of LiteLLM's table, NDJSON or .gz")
      .option('--witness <file>', 'update: dated list prices to compare with, CSV')
      .option('--out <file>', 'update: where the book goes; the shipped one when not given')
  },
  run: async ({ args, options, io }) => {
    const [verb, ...names] = args
    const chosen = options as Options
    if (verb === 'explain') return explain(names, chosen, io)
    if (verb === 'diff') return diff(names, chosen, io)
    if (verb === 'update') return update(chosen, io)
    throw new Failure('E_USAGE', `tally prices has no verb "${verb ?? ''}"`, {
      hint: 'tally prices explain MODEL | diff BOOK [BOOK] | update'
    })
  }
})

const timeOf = (at: string | undefined, io: CommandIo): number => {
  const timeMs = at === undefined ? io.now().getTime() : Date.parse(at)
  if (Number.isNaN(timeMs)) throw new Failure('E_USAGE', `--at ${at} is not an RFC 3339 time`)
  return timeMs
}

const explain = async (names: string[], options: Options, io: CommandIo): Promise<number> => {
  const [model] = names
  if (model === undefined || names.length > 1) {
    throw new Failure('E_USAGE', 'give one model', {
      hint: 'tally prices explain MODEL [--at TIME]'
    })
  }
  const shipped = await loadBook(options.book ?? SHIPPED_BOOK)
  const own = options.contracts === undefined ? {} : parseContracts(await read(options.contracts))
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
  const body = rows.flatMap((row) => [
    `${row.provider}/${row.model}${row.region === null ? '' : ` in ${row.region}`}, ${row.from ?? 'start'} to ${row.to ?? 'now'} (${row.sources.join(', ')})`,
    ...Object.entries(row.usd_per_million).flatMap(([tier, sizes]) =>
      sizes.map(({ from_tokens, rates }) => {
        const size = from_tokens === 0 ? '' : ` from ${from_tokens} input tokens`
        return `  ${tier}${size}: ${list(rates)}`
      })
    ),
    ...(Object.keys(row.usd_per_unit).length > 0 ? [`  per unit: ${list(row.usd_per_unit)}`] : []),
    ...row.disagreements.map(
      ({ what, usd_per_million }) => `  sources disagree on ${what}: ${list(usd_per_million)}`
    ),
    ...row.notes.map((note) => `  note: ${note}`)
  ])
  return [...head, ...body].map((line) => `${line}\n`).join('')
}

const list = (rates: Record<string, string>): string =>
  Object.entries(rates)
    .map(([name, usd]) => `${name} $${usd}`)
    .join(', ')

const diff = async (names: string[], options: Options, io: CommandIo): Promise<number> => {
  const [first, second] = names
  if (first === undefined) throw new Failure('E_USAGE', 'give a book to compare with')
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

const update = async (options: Options, io: CommandIo): Promise<number> => {
  const { litellm, genai, litellmVersion, genaiVersion, genaiDate } = options
  if (litellm === undefined || genai === undefined) {
    throw new Failure('E_USAGE', 'give --litellm FILE and --genai FILE', {
      hint: 'Both tables come with their Python packages of the same names.'
    })
  }
  const text = buildBook({
    litellm: { text: await read(litellm), version: litellmVersion ?? 'unknown' },
    genai: {
      text: await read(genai),
      version: genaiVersion ?? 'unknown',
      date: genaiDate ?? io.now().toISOString().slice(0, 10)
    },
    history: options.history === undefined ? '' : await read(options.history),
    witness: options.witness === undefined ? '' : await read(options.witness)
  })
  const after = parseBook(text)
  const out = options.out ?? fileURLToPath(SHIPPED_BOOK)
  const before = await bookOrNone(out)
  const changes = before === null ? after.rows.length : diffBooks(before, after).length
  await writeFile(out, text)
  const summary = { out, rows: after.rows.length, changes, version: after.version }
  io.stdout.write(
    options.json === true
      ? `${JSON.stringify(summary)}\n`
      : `${out}: ${summary.rows} rows, ${changes} changed, version ${summary.version}\n`
  )
  return EXIT.ok
}

const bookOrNone = async (path: string): Promise<PriceBook | null> => {
  try {
    return await loadBook(path)
  } catch {
    return null
  }
}

const read = async (path: string): Promise<string> => {
  try {
    const bytes = await readFile(path)
    return path.endsWith('.gz') ? gunzipSync(bytes).toString('utf8') : bytes.toString('utf8')
  } catch (cause) {
    throw new Failure('E_USAGE', `${path} can not be read: ${String(cause)}`, { cause })
  }
}
