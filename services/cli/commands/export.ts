import path from 'node:path'
import { mkdir } from 'node:fs/promises'
import { bookDue } from '../../../jobs/chargeback/book.ts'
import { standing } from '../../../jobs/chargeback/close.ts'
import { exportBookings } from '../../../jobs/chargeback/focus/export-bookings.ts'
import { focusCopySql, type FocusFormat } from '../../../jobs/chargeback/focus/focus-sql.ts'
import { invoicesOf } from '../../../jobs/chargeback/focus/invoices.ts'
import { parseMonth } from '../../../jobs/chargeback/month.ts'
import { writeWhole } from '../../../jobs/chargeback/whole-file.ts'
import { Failure } from '../../../schemas/failure.ts'
import { openChargeSite, type ChargeOptions, type ChargeSite } from '../charge-site.ts'
import { defineCommand, EXIT, type CommandIo } from '../command.ts'

type Options = ChargeOptions & {
  out: string
  month?: string
  format: string
  focusVersion: string
  stream: string
  from?: string
  json?: true
}

/** The version of the standard that the columns follow. */
const FOCUS_VERSION = '1.2'

export default defineCommand({
  summary: 'Export charges as FOCUS: a month, or what was booked since the last export.',
  configure: (command) => {
    command
      .argument('<kind>', 'focus')
      .requiredOption('--data <dir>', 'folder of the lake')
      .requiredOption('-o, --out <dir>', 'folder for the files')
      .option('--month <month>', 'one file with everything on the statements of this month')
      .option('--format <name>', 'parquet or csv', 'parquet')
      .option('--focus-version <version>', 'version of FOCUS', FOCUS_VERSION)
      .option('--stream <name>', 'name of this reader, which has a place of its own', 'default')
      .option('--from <booking>', 'write the bookings from this one on again')
      .option('--rules <file>', 'allocation rules, YAML or JSON')
      .option('--contracts <file>', 'negotiated prices and custom models, YAML or JSON')
      .option('--as-of <version>', 'with --month: as it stood at a version of the lake')
  },
  run: async ({ args, options, io }) => {
    const chosen = options as Options
    const format = checked(args[0], chosen)
    const site = await openChargeSite(chosen)
    try {
      const files =
        chosen.month === undefined
          ? await exportNew(site, chosen, format)
          : [await exportMonth(site, { ...chosen, month: chosen.month }, format)]
      print(io, files, chosen.json === true)
      return EXIT.ok
    } finally {
      site.close()
    }
  }
})

const checked = (kind: string | undefined, { format, focusVersion }: Options): FocusFormat => {
  if (kind !== 'focus')
    throw new Failure('E_USAGE', `there is no export "${kind ?? ''}"`, {
      hint: 'tally export focus'
    })
  if (focusVersion !== FOCUS_VERSION) {
    throw new Failure('E_USAGE', `FOCUS ${focusVersion} is not written`, {
      hint: `FOCUS ${FOCUS_VERSION} is.`
    })
  }
  if (format === 'parquet' || format === 'csv') return format
  throw new Failure('E_USAGE', `--format ${format} is neither parquet nor csv`)
}

const exportNew = async (site: ChargeSite, options: Options, format: FocusFormat) => {
  await bookDue(site, { books: site.books, tags: site.rules.tags })
  const { out, stream, from } = options
  return exportBookings(site, {
    out,
    stream,
    format,
    ...(from === undefined ? {} : { from: Number(from) })
  })
}

const exportMonth = async (
  site: ChargeSite,
  { month, out }: Options & { month: string },
  format: FocusFormat
) => {
  const { books, rules, engine } = site
  const span = parseMonth(month)
  await standing(site, await site.head(), {
    month: span,
    books,
    rules,
    closedUntilMs: null
  })
  const invoices = await invoicesOf(engine, span)
  await mkdir(out, { recursive: true })
  const file = path.join(out, `focus-${month}.${format}`)
  await writeWhole(file, (unfinished) =>
    engine.run(focusCopySql('temp.month_rows', unfinished, { format, invoices }))
  )
  const [seen] = await engine.rows('SELECT count(*) AS n FROM temp.month_rows')
  return { booking: null, file, rows: Number(seen?.['n'] ?? 0) }
}

type Written = { booking: number | null; file: string; rows: number }

const print = (io: CommandIo, files: readonly Written[], isJson: boolean): void => {
  for (const written of files) {
    io.stdout.write(isJson ? `${JSON.stringify(written)}\n` : `${written.file}\n`)
  }
  if (files.length === 0) io.stderr.write('nothing new to export\n')
}
