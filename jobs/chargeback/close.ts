import { CHARGE_COLUMNS } from '../../schemas/charges.ts'
import { Failure } from '../../schemas/failure.ts'
import { formatUsd } from '../../schemas/money.ts'
import type { TableName } from '../../schemas/tables.ts'
import type { Commit, Head, TableFile } from '../../services/lake/commit.ts'
import type { Engine } from '../../services/lake/engine.ts'
import { quoted } from '../../services/lake/parquet-writer.ts'
import { pinState } from '../../services/lake/pins.ts'
import { attach } from '../../services/lake/snapshot.ts'
import { addAdjustments } from './adjust.ts'
import { addAllocations } from './allocate.ts'
import { checklist, type Check } from './checklist.ts'
import { closeKey, closeOf, type Close } from './closes.ts'
import { addCulpritCharges } from './culprit.ts'
import type { Books } from './day-lines.ts'
import {
  addDays,
  BOOKING_KEY,
  bookedState,
  dueDays,
  headOf,
  landBatch,
  startBatch,
  type ChargeDoors,
  type DueDay
} from './ledger.ts'
import { digestOf, digestsOf, manifestText, sha256, type Manifest } from './manifest.ts'
import type { Month } from './month.ts'
import type { Rules } from './rules.ts'
import { frozenStatements, landStatements, makeStatements, type Totals } from './statements.ts'

export type CloseOptions = {
  month: Month
  books: Books
  rules: Rules
  /** All hours before it are closed; null = not known. */
  closedUntilMs: number | null
}

export type SignOff = {
  /** Names of checks that may fail. */
  checks: readonly string[]
  by: string | null
}

/** A month as it stands at one version of the lake; `statement_lines` and `month_rows` are filled. */
export type Standing = {
  head: Head
  checks: Check[]
  totals: Totals
  days: DueDay[]
  close: Close | null
}

/** Tables that a close reads beside the events. */
const BESIDE: readonly TableName[] = [
  'charges',
  'statements',
  'bills',
  'findings',
  'gaps',
  'events_raw'
]

/** Works out a month at a version of the lake without writing anything. */
export const standing = async (
  doors: ChargeDoors,
  head: Head,
  options: CloseOptions
): Promise<Standing> => {
  const { engine } = doors
  const { month, books, rules } = options
  const close = closeOf(head, month.name)
  const days = close === null ? dueDays(head, month.toMs) : []
  await startBatch(engine)
  await addDays(doors, head, { days, books, tags: rules.tags })
  await attach(doors, headOf(head, BESIDE))
  if (close === null) {
    await addAdjustments(engine, head, { month, rules })
    await addAllocations(engine, head, { month, rules })
    if (rules.move_cache_collapse_to_culprit) await addCulpritCharges(engine, head, month)
  }
  await makeMonthRows(doors, month, rules)
  const totals =
    close === null ? await makeStatements(engine) : await frozenStatements(engine, month.name)
  return { head, checks: await checklist(engine, head, options), totals, days, close }
}

const NAMES = CHARGE_COLUMNS.map(({ name }) => name).join(', ')

/** `month_rows`: what the ledger and the batch put on the month's statements. */
const makeMonthRows = async (
  { engine }: ChargeDoors,
  month: Month,
  rules: Rules
): Promise<void> => {
  const nobody = rules.unallocated.map(quoted).join(', ')
  const tenant = nobody === '' ? 'tenant' : `CASE WHEN tenant NOT IN (${nobody}) THEN tenant END`
  await engine.run(`CREATE OR REPLACE TEMP VIEW month_rows AS
    SELECT * REPLACE (${tenant} AS tenant) FROM
      (SELECT ${NAMES} FROM temp.charges UNION ALL SELECT ${NAMES} FROM temp.batch)
    WHERE month = ${quoted(month.name)}`)
}

export type Closed = Standing & { close: Close; isNew: boolean }

/**
 * Closes a month: its charges, its statements, the version that they rest on and the manifest go
 * into one commit. A month that is closed stays as it is and is given back.
 * @throws Failure E_CLOSE_REFUSED when a check fails that is not signed off.
 */
export const closeMonth = async (
  doors: ChargeDoors,
  options: CloseOptions & { signOff: SignOff; nowMs: number }
): Promise<Closed> => {
  for (;;) {
    const head = await doors.lake.head()
    const found = await standing(doors, head, options)
    if (found.close !== null) return { ...found, close: found.close, isNew: false }
    refuse(found.checks, options)
    const close = await commitClose(doors, found, options)
    if (close !== null) return { ...found, close, isNew: true }
  }
}

const refuse = (
  checks: readonly Check[],
  { month, signOff }: { month: Month; signOff: SignOff }
): void => {
  const failed = checks.filter(({ name, ok }) => ok === false && !signOff.checks.includes(name))
  if (failed.length === 0) return
  throw new Failure(
    'E_CLOSE_REFUSED',
    `${month.name} can not be closed: ${failed.map(({ name, seen }) => `${name}: ${seen}`).join('; ')}`,
    {
      hint: `\`tally settle\` makes closed hours exact; what can not be mended is signed off by --accept ${failed.map(({ name }) => name).join(',')} --by NAME`
    }
  )
}

/** Null when the ledger moved meanwhile: everything is worked out again then. */
const commitClose = async (
  doors: ChargeDoors,
  found: Standing,
  options: CloseOptions & { signOff: SignOff; nowMs: number }
): Promise<Close | null> => {
  const { engine, lake, generation } = doors
  const { head } = found
  const adds = await byOneThread(engine, async () => [
    await landBatch(doors),
    await landStatements(doors, options.month.name)
  ])
  const manifest = manifestOf(doors, found, options, adds)
  const close: Close = {
    manifest,
    manifest_sha256: sha256(manifestText(manifest)),
    closed_at: new Date(options.nowMs).toISOString()
  }
  const version = await lake.commit((now): Commit | null => {
    if (now.state.get(BOOKING_KEY) !== head.state.get(BOOKING_KEY)) return null
    const state = {
      ...bookedState(head, found.days, options.books),
      ...pinState(closeKey(options.month.name), head.version),
      [closeKey(options.month.name)]: close
    }
    return { kind: 'close', generation, ranges: [], adds, removes: [], state }
  })
  if (version === null) return null
  await lake.keepHead(head.version)
  return close
}

/** One thread writes a file, so that its row groups never depend on which thread was first. */
const byOneThread = async (
  engine: Engine,
  land: () => Promise<(TableFile | null)[]>
): Promise<TableFile[]> => {
  const [row] = await engine.rows("SELECT current_setting('threads') AS threads")
  await engine.run('SET threads = 1')
  try {
    return (await land()).filter((file) => file !== null)
  } finally {
    await engine.run(`SET threads = ${String(row?.['threads'] as bigint)}`)
  }
}

const manifestOf = (
  { generation }: ChargeDoors,
  { head, totals, checks }: Standing,
  { month, books, rules, signOff }: CloseOptions & { signOff: SignOff },
  adds: readonly TableFile[]
): Manifest => {
  const before = digestsOf(head.files, ['charges'], () => true)
  const events = digestsOf(
    head.files,
    ['events_settled'],
    ({ timeUsMin }) =>
      timeUsMin !== null && timeUsMin >= month.fromMs * 1000 && timeUsMin < month.toMs * 1000
  )
  const failed = checks.filter(({ name, ok }) => ok === false && signOff.checks.includes(name))
  return {
    format: 'tallystream-close-1',
    month: month.name,
    lake_version: head.version,
    generation,
    price_book: {
      version: books.contracted.version,
      date: books.contracted.header.date,
      contracts: books.contracted.contracts.length
    },
    rules_sha256: rules.sha256,
    inputs: { ...events, ...before, ...digestsOf(head.files, ['bills', 'findings'], () => true) },
    outputs: Object.fromEntries(
      (['charges', 'statements'] as const).map((table) => [
        table,
        digestOf(adds.filter((file) => file.table === table))
      ])
    ),
    totals: {
      bill_cents: String(totals.billCents),
      tenants_cents: String(totals.tenantsCents),
      unallocated_cents: String(totals.unallocatedCents),
      bill_usd: formatUsd(totals.billPico)
    },
    signed_off: failed.map(({ name, seen }) => ({ check: name, seen })),
    signed_by: failed.length > 0 ? signOff.by : null
  }
}
