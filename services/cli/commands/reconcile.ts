import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import type { BillLine } from '../../../jobs/reconcile/bill.ts'
import { billDialects, loadImporter } from '../../../jobs/reconcile/import-bill.ts'
import { focusLines } from '../../../jobs/reconcile/importers/focus.ts'
import { reconcile } from '../../../jobs/reconcile/reconcile.ts'
import { readRecordedEvents, type BadLine } from '../../../jobs/reconcile/recorded-events.ts'
import { periodOf, reportGap, type GapReport } from '../../../jobs/reconcile/report.ts'
import type { UsageEvent } from '../../../schemas/event.ts'
import { Failure } from '../../../schemas/failure.ts'
import { openMemory } from '../../lake/memory.ts'
import { bookWith, loadBook, type PriceBook } from '../../rates/prices/book.ts'
import { parseContracts } from '../../rates/prices/contracts.ts'
import { defineCommand, EXIT, type CommandIo } from '../command.ts'

type Options = {
  bill?: string[]
  as?: string[]
  events?: string
  contracts?: string
  floor: string
  check?: true
  json?: true
}

/** Bad lines that are shown one by one. */
const BAD_LINES_SHOWN = 20
/** Differences below a dollar are nobody's time. */
const FLOOR_USD = '1'

const collect = (value: string, previous: string[] | undefined): string[] => [
  ...(previous ?? []),
  value
]

export default defineCommand({
  summary: "Explain the gap between a provider's bill and recorded events, cause by cause.",
  configure: (command) => {
    command
      .option('--bill <file>', 'the bill as exported; may be repeated', collect)
      .option('--as <dialect>', 'its kind, once per bill: openai/costs, focus …', collect)
      .option('--events <file>', 'native events, NDJSON, plain or .gz')
      .option('--contracts <file>', 'negotiated prices and custom models, YAML or JSON')
      .option('--floor <usd>', 'smallest difference that is a finding', FLOOR_USD)
      .option('--check', 'exit 3 when there are findings')
  },
  run: async ({ options, io }) => {
    const { bill = [], as = [], events, contracts, floor, check, json } = options as Options
    if (bill.length === 0 || bill.length !== as.length || events === undefined) {
      throw new Failure('E_USAGE', 'give --bill FILE with --as DIALECT, and --events FILE', {
        hint: `Dialects: ${(await billDialects()).join(', ')}.`
      })
    }
    const lines: BillLine[] = []
    for (const [index, path] of bill.entries()) {
      lines.push(...(await readBill(path, as[index] ?? '')))
    }
    const book = await bookOf(contracts)
    const found = reconcile(book, { lines, events: await readEvents(events, io) })
    const report = reportGap(found, floor)
    const head = { bill: { as, ...periodOf(found), lines: lines.length }, book: book.version }
    if (json === true) io.stdout.write(`${JSON.stringify({ ...head, ...report })}\n`)
    else print(io, report)
    return check === true && report.findings.length > 0 ? EXIT.findings : EXIT.ok
  }
})

const bookOf = async (contracts: string | undefined): Promise<PriceBook> => {
  const book = await loadBook()
  if (contracts === undefined) return book
  return bookWith(book, parseContracts(await readText(contracts)))
}

const readBill = async (path: string, dialect: string): Promise<BillLine[]> => {
  const importer = await loadImporter(dialect)
  if (dialect.toLowerCase() === 'focus' && path.endsWith('.parquet')) return readParquet(path)
  return importer.read(await readText(path))
}

const readText = async (path: string): Promise<string> => {
  try {
    if (!path.endsWith('.gz')) return await readFile(path, 'utf8')
    const chunks: Buffer[] = []
    for await (const chunk of createReadStream(path).pipe(createGunzip())) {
      chunks.push(chunk as Buffer)
    }
    return Buffer.concat(chunks).toString('utf8')
  } catch (cause) {
    throw new Failure('E_USAGE', `${path} can not be read: ${String(cause)}`, { cause })
  }
}

const readParquet = async (path: string): Promise<BillLine[]> => {
  const database = await openMemory()
  try {
    const rows: Record<string, unknown>[] = []
    const file = `read_parquet('${path.replaceAll("'", "''")}')`
    for await (const chunk of database.columns(`SELECT COLUMNS(*)::VARCHAR FROM ${file}`)) {
      const columns = Object.entries(chunk.columns)
      for (let row = 0; row < chunk.rows; row += 1) {
        rows.push(Object.fromEntries(columns.map(([name, values]) => [name, values[row] ?? null])))
      }
    }
    return focusLines(rows)
  } finally {
    database.close()
  }
}

const readEvents = async (path: string, io: CommandIo): Promise<UsageEvent[]> => {
  const events: UsageEvent[] = []
  let shown = 0
  const onBad = ({ line, reason }: BadLine): void => {
    shown += 1
    if (shown <= BAD_LINES_SHOWN) io.stderr.write(`line ${line}: ${reason}\n`)
  }
  for await (const event of readRecordedEvents(path, onBad)) events.push(event)
  if (shown > 0) io.stderr.write(`${shown} lines are no events and were left out\n`)
  return events
}

const print = (io: CommandIo, report: GapReport): void => {
  const { totals } = report
  io.stdout.write(`recorded  $${totals.ours_usd}\nbilled    $${totals.billed_usd}\n`)
  io.stdout.write(`gap       $${totals.gap_usd}\n`)
  for (const { cause, usd, meaning } of report.causes) {
    io.stdout.write(`  ${cause.padEnd(24)} ${usd.padStart(18)}  ${meaning}\n`)
  }
  io.stdout.write(`error bar $${totals.error_bar_usd}\n`)
  for (const { provider, remark } of report.remarks) io.stdout.write(`${provider}: ${remark}\n`)
  for (const { summary } of report.findings) io.stdout.write(`- ${summary}\n`)
}
