import { REFUSING, type Check } from '../../../jobs/chargeback/checklist.ts'
import {
  closeMonth,
  standing,
  type SignOff,
  type Standing
} from '../../../jobs/chargeback/close.ts'
import type { Close } from '../../../jobs/chargeback/closes.ts'
import { parseMonth } from '../../../jobs/chargeback/month.ts'
import { centsAsUsd as usd } from '../../../jobs/chargeback/render/statement.ts'
import { writeClosed } from '../../../jobs/chargeback/render/write-closed.ts'
import { Failure } from '../../../schemas/failure.ts'
import { closedUntil, openChargeSite, type ChargeOptions } from '../charge-site.ts'
import { defineCommand, EXIT, type CommandIo } from '../command.ts'

type Options = ChargeOptions & {
  dryRun?: true
  accept?: string
  by?: string
  out?: string
  json?: true
}

export default defineCommand({
  summary: 'Close a month: check it, freeze what it rests on, write statements and a manifest.',
  configure: (command) => {
    command
      .argument('<month>', 'the month, such as 2026-10')
      .requiredOption('--data <dir>', 'folder of the log and the lake')
      .option('--brokers <list>', 'Kafka bootstrap servers; the embedded log without them')
      .option('--dry-run', 'only show the checklist and the totals')
      .option('--accept <checks>', 'failed checks to sign off, such as gaps,hours')
      .option('--by <name>', 'who signs off')
      .option('--rules <file>', 'allocation rules, YAML or JSON')
      .option('--contracts <file>', 'negotiated prices and custom models, YAML or JSON')
      .option('--out <dir>', 'write statements (HTML, CSV, JSON, Parquet) and the manifest there')
      .option('--as-of <version>', 'show the month as it stood at a version of the lake')
  },
  run: async ({ args, options, io }) => {
    const chosen = options as Options
    const month = parseMonth(args[0] ?? '')
    const signOff = signOffOf(chosen)
    const site = await openChargeSite(chosen)
    try {
      const head = await site.head()
      const nowMs = io.now().getTime()
      const closedUntilMs = await closedUntil(chosen, head, nowMs)
      const how = { month, books: site.books, rules: site.rules, closedUntilMs }
      const isShown = chosen.dryRun === true || chosen.asOf !== undefined
      const found = isShown
        ? await standing(site, head, how)
        : await closeMonth(site, { ...how, signOff, nowMs })
      const { out } = chosen
      if (out !== undefined) {
        const folder = await writeClosed(site.engine, found, { month, out })
        io.stderr.write(`statements are in ${folder}\n`)
      }
      print(io, found, { month: month.name, isJson: chosen.json === true })
      return EXIT.ok
    } finally {
      site.close()
    }
  }
})

/** @throws Failure E_USAGE when something is signed off by nobody, or is no check. */
const signOffOf = ({ accept = '', by }: Options): SignOff => {
  const checks = accept
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  const unknown = checks.find((name) => !(REFUSING as readonly string[]).includes(name))
  if (unknown !== undefined) {
    throw new Failure('E_USAGE', `--accept ${unknown}: there is no such check to sign off`, {
      hint: `There are: ${REFUSING.join(', ')}.`
    })
  }
  if (checks.length > 0 && by === undefined) {
    throw new Failure('E_USAGE', '--accept needs --by', {
      hint: 'The manifest says who signed off what: --by NAME.'
    })
  }
  return { checks, by: by ?? null }
}

const print = (
  io: CommandIo,
  { checks, totals, close }: Standing & { close: Close | null },
  { month, isJson }: { month: string; isJson: boolean }
): void => {
  const sums = {
    bill_usd: usd(totals.billCents),
    tenants_usd: usd(totals.tenantsCents),
    unallocated_usd: usd(totals.unallocatedCents)
  }
  if (isJson) {
    const report = { month, closed: close !== null, ...sums, checks, ...close }
    io.stdout.write(`${JSON.stringify(report)}\n`)
    return
  }
  for (const { name, ok, seen } of checks)
    io.stdout.write(`${mark(ok)} ${name.padEnd(12)} ${seen}\n`)
  io.stdout.write(
    `tenants ${sums.tenants_usd} + unallocated ${sums.unallocated_usd} = bill ${sums.bill_usd} USD\n`
  )
  io.stdout.write(
    close === null
      ? `${month} is open\n`
      : `${month} is closed, manifest ${close.manifest_sha256}\n`
  )
}

const mark = (ok: Check['ok']): string => (ok === null ? '·' : ok ? '✓' : '✗')
