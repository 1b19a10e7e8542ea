import { parseMonth } from '../../../jobs/chargeback/month.ts'
import type { BillLine } from '../../../jobs/reconcile/bill.ts'
import { readBillFiles, readBillText } from '../../../jobs/reconcile/bill-files.ts'
import { billDialects } from '../../../jobs/reconcile/import-bill.ts'
import { keepBill, keptBills } from '../../../jobs/reconcile/kept-bills.ts'
import { lakeEvents } from '../../../jobs/reconcile/lake-events.ts'
import { reconcile } from '../../../jobs/reconcile/reconcile.ts'
import { readRecordedEvents, type BadLine } from '../../../jobs/reconcile/recorded-events.ts'
import { periodOf, reportGap, type GapReport } from '../../../jobs/reconcile/report.ts'
import type { UsageEvent } from '../../../schemas/event.ts'
import { Failure } from '../../../schemas/failure.ts'
import { bookWith, loadBook, type PriceBook } from '../../rates/prices/book.ts'
import { parseContracts } from '../../rates/prices/contracts.ts'
import { defineCommand, EXIT, type CommandIo } from '../command.ts'
import { openLakeSite } from '../site.ts'

type Options = {
  bill?: string[]
  as?: string[]
  events?: string
  data?: string
  import?: true
  month?: string
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
      .option('--data <dir>', 'folder of a lake: its events, and the bills it keeps')
      .option('--import', 'with --data: keep the bill in the lake for closing months')
      .option('--month <month>', 'with --data: only the kept bills of this month, such as 2026-10')
      .option('--contracts <file>', 'negotiated prices and custom models, YAML or JSON')
      .option('--floor <usd>', 'smallest difference that is a finding', FLOOR_USD)
      .option('--check', 'exit 3 when there are findings')
  },
  run: async ({ options, io }) => {
    const chosen = options as Options
    const { as = [], floor, check, json } = chosen
    refuseFloor(floor)
    const book = await bookOf(chosen.contracts)
    const sides = await sidesOf(chosen, io)
    const found = reconcile(book, sides)
    const report = reportGap(found, floor)
    const head = { bill: { as, ...periodOf(found), lines: sides.lines.length }, book: book.version }
    if (json === true) io.stdout.write(`${JSON.stringify({ ...head, ...report })}\n`)
    else print(io, report)
    return check === true && report.findings.length > 0 ? EXIT.findings : EXIT.ok
  }
})

const refuseFloor = (floor: string): void => {
  if (/^\d+(\.\d+)?$/.test(floor)) return
  throw new Failure('E_USAGE', `--floor ${floor} is not an amount in USD`, {
    hint: 'Write it as 0.50.'
  })
}

type Sides = { lines: BillLine[]; events: UsageEvent[] }

const sidesOf = async (options: Options, io: CommandIo): Promise<Sides> => {
  const { bill = [], as = [], events, data } = options
  if (bill.length === as.length && data !== undefined) return fromLake({ ...options, data }, io)
  if (bill.length === as.length && bill.length > 0 && events !== undefined) {
    const files = await readBillFiles(bill, as)
    return { lines: files.flatMap(({ lines }) => lines), events: await readEvents(events, io) }
  }
  throw new Failure(
    'E_USAGE',
    'give --bill FILE with --as DIALECT, and --events FILE or --data DIR',
    {
      hint: `Dialects: ${(await billDialects()).join(', ')}. With --data alone the imported bills are taken.`
    }
  )
}

/** The bill that was given, or those that the lake keeps; and the lake's events around it. */
const fromLake = async (
  { data, month, ...options }: Options & { data: string },
  io: CommandIo
): Promise<Sides> => {
  const site = await openLakeSite({ data })
  try {
    const files = await readBillFiles(options.bill ?? [], options.as ?? [])
    for (const file of options.import === true ? files : []) {
      const isNew = await keepBill(site, file)
      io.stderr.write(
        `${file.dialect}: ${isNew ? `${file.lines.length} lines imported` : 'known already'}\n`
      )
    }
    const head = await site.lake.head()
    const span = month === undefined ? ALL_TIME : parseMonth(month)
    const lines =
      files.length > 0 ? files.flatMap((file) => file.lines) : await keptBills(site, head, span)
    if (lines.length === 0) {
      throw new Failure('E_USAGE', 'no bill is imported', {
        hint: 'tally reconcile --bill FILE --as DIALECT --import --data DIR'
      })
    }
    const fromMs = Math.min(...lines.map((line) => line.fromMs))
    const toMs = Math.max(...lines.map((line) => line.toMs))
    return { lines, events: await lakeEvents(site, head, { fromMs, toMs }) }
  } finally {
    site.close()
  }
}

const ALL_TIME = { fromMs: 0, toMs: 8.64e15 }

const bookOf = async (contracts: string | undefined): Promise<PriceBook> => {
  const book = await loadBook()
  if (contracts === undefined) return book
  return bookWith(book, parseContracts(await readBillText(contracts)))
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
