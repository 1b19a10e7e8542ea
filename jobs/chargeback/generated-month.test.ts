import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import path from 'node:path'
import { formatUsd } from '../../schemas/money.ts'
import { Engine } from '../../services/lake/engine.ts'
import { openLake, type Lake } from '../../services/lake/lake.ts'
import { landTable, parquetWriter } from '../../services/lake/land-table.ts'
import { rangeOf, SCRATCH_ROOT } from '../../services/lake/scratch-lake.ts'
import { bookWith, loadBook, type PriceBook } from '../../services/rates/prices/book.ts'
import { parseContracts } from '../../services/rates/prices/contracts.ts'
import { settle } from '../settle/settle.ts'
import { closeMonth, standing, type Closed } from './close.ts'
import {
  eventsPerHour,
  GENERATED_CONTRACTS,
  GENERATION,
  generatedEvents
} from './fixtures/generated-month.ts'
import { landGeneratedMonth } from './fixtures/land-month.ts'
import { HOUR_MS, parseMonth } from './month.ts'
import { NO_RULES } from './rules.ts'

/** A million in the suite; EVENTS=10000000 is the proof. An hour must have more than DUPLICATES. */
const EVENTS = Number(process.env['EVENTS'] ?? 1_000_000)
const OCTOBER = parseMonth('2026-10')
const NOVEMBER = parseMonth('2026-11')
/** Hours that go through the log and settling, one before and one after the price changes. */
const RAW_HOURS = [Date.parse('2026-10-10T05:00:00Z'), Date.parse('2026-10-20T11:00:00Z')]
const DUPLICATES = 300
const LATE = 50

describe(`a month of ${EVENTS} events`, () => {
  let engine: Engine
  let lake: Lake
  let prices: PriceBook
  let truthPico = 0n
  let october: Closed
  let next = 0

  const doors = () => ({ engine, lake, prices, generation: GENERATION })
  const options = (month = OCTOBER) => ({
    month,
    books: { contracted: prices, list: prices },
    rules: NO_RULES,
    closedUntilMs: month.toMs
  })
  const close = (nowMs = OCTOBER.toMs) =>
    closeMonth(doors(), { ...options(), signOff: { checks: [], by: null }, nowMs })

  /** Table `hour`: the events of an hour, priced. */
  const makeHour = (hourMs: number): Promise<void> =>
    engine.run(
      `CREATE OR REPLACE TEMP TABLE hour AS ${generatedEvents({ ...OCTOBER, events: EVENTS }, hourMs, hourMs + HOUR_MS)}`
    )

  /** Lands rows of a SELECT as a flush would, at the next offsets. */
  const flush = async (select: string, rows: number, appendMs: number): Promise<void> => {
    const file = await landTable(doors(), {
      table: 'events_raw',
      sql: `SELECT * REPLACE (${next} + row_number() OVER () - 1 AS "offset",
              make_timestamptz(${appendMs * 1000}::BIGINT) AS append_time) FROM (${select})`,
      time: 'time'
    })
    assert.ok(file)
    const range = {
      ...rangeOf(0, next, next + rows),
      appendedUntilMs: appendMs,
      watermarkMs: appendMs
    }
    await lake.commit(() => ({
      kind: 'flush',
      generation: GENERATION,
      ranges: [range],
      adds: [file],
      removes: [],
      state: {}
    }))
    next += rows
  }
  const settleAll = () =>
    settle(doors(), {
      partitions: [{ topic: 'usage', partition: 0, incarnation: 'i1', start: 0, end: next }],
      nowMs: NOVEMBER.toMs
    })
  const costOf = async (relation: string): Promise<bigint> => {
    const [row] = await engine.rows(`SELECT sum(cost_pico)::VARCHAR AS pico FROM ${relation}`)
    return BigInt(row?.['pico'] as string)
  }

  before(async () => {
    const folder = await mkdtemp(path.join(SCRATCH_ROOT, 'month-'))
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
    engine = await Engine.open({ threads: 2, memoryMaxMib: 1000, spillFolder: `${folder}/spill` })
    lake = await openLake(`${folder}/lake`, { writeParquet: parquetWriter(engine), create: true })
    prices = bookWith(await loadBook(), parseContracts(GENERATED_CONTRACTS))
    const spread = { ...OCTOBER, events: EVENTS }
    const skip = new Set(RAW_HOURS)
    truthPico = await landGeneratedMonth(doors(), { ...spread, skip, dayFiles: true })
    for (const hourMs of RAW_HOURS) {
      await makeHour(hourMs)
      truthPico += await costOf('temp.hour')
      const perHour = eventsPerHour(spread)
      await flush('FROM temp.hour', perHour, hourMs + HOUR_MS)
      await flush(`FROM temp.hour LIMIT ${DUPLICATES}`, DUPLICATES, hourMs + 2 * HOUR_MS)
    }
    const settled = await settleAll()
    assert.equal(
      settled.reduce((sum, { duplicates }) => sum + duplicates, 0),
      2 * DUPLICATES
    )
    october = await close()
  })

  test('is charged to its tenants to the pico-dollar, and sums to the bill in cents', async () => {
    const { manifest } = october.close
    assert.equal(manifest.totals.bill_usd, formatUsd(truthPico))
    const cents = (truthPico + 5_000_000_000n) / 10_000_000_000n
    assert.equal(manifest.totals.bill_cents, String(cents))
    assert.equal(
      BigInt(manifest.totals.tenants_cents) + BigInt(manifest.totals.unallocated_cents),
      cents
    )
    const rows =
      await engine.rows(`SELECT section, sum(cents)::VARCHAR AS cents FROM temp.statement_lines
      WHERE section IN ('total', 'model', 'meter', 'project', 'team', 'day') GROUP BY ALL`)
    assert.deepEqual(new Set(rows.map((row) => row['cents'])), new Set([String(cents)]))
    assert.equal(rows.length, 6)
  })

  test('prices each day at its own price: the change in the middle is in the lines', async () => {
    const rows =
      await engine.rows(`SELECT DISTINCT unit_pico, charge_start < TIMESTAMPTZ '2026-10-16 00:00:00Z' AS early
      FROM temp.month_rows WHERE model = 'gen-large' AND meter = 'out_text' AND service_tier = 'standard'
      ORDER BY early`)
    assert.deepEqual(
      rows.map((row) => [row['early'], row['unit_pico']]),
      [
        [false, 12_000_000n],
        [true, 15_000_000n]
      ]
    )
  })

  test('is closed once: closing again gives the same manifest', async () => {
    const again = await close(NOVEMBER.toMs)
    assert.equal(again.isNew, false)
    assert.equal(again.close.manifest_sha256, october.close.manifest_sha256)
    assert.deepEqual(again.totals, october.totals)
  })

  test('takes no late event after it was closed: it is a correction in the open month', async () => {
    const [, hourMs = 0] = RAW_HOURS
    await makeHour(hourMs)
    const late = `SELECT * REPLACE ('late-' || id AS id) FROM temp.hour LIMIT ${LATE}`
    await engine.run(`CREATE OR REPLACE TEMP TABLE late AS ${late}`)
    const latePico = await costOf('temp.late')
    await flush('FROM temp.late', LATE, NOVEMBER.fromMs + HOUR_MS)
    assert.equal((await settleAll()).length, 1)
    const now = await standing(doors(), await lake.head(), options(NOVEMBER))
    assert.equal(now.totals.billPico, latePico)
    const [row] =
      await engine.rows(`SELECT count(DISTINCT charge_class) AS classes, min(charge_class) AS class,
      min(charge_start) = TIMESTAMPTZ '2026-10-20 00:00:00Z' AS is_day,
      sum(quantity) FILTER (meter = 'calls')::INTEGER AS calls FROM temp.month_rows`)
    assert.deepEqual(row, { classes: 1n, class: 'Correction', is_day: true, calls: LATE })
    const frozen = await close()
    assert.deepEqual(frozen.totals, october.totals)
    assert.equal(frozen.close.manifest_sha256, october.close.manifest_sha256)
  })

  test('can be seen as it stood before it was closed', async () => {
    const then = await lake.headAt(october.close.manifest.lake_version)
    const found = await standing(doors(), then, options())
    assert.equal(found.close, null)
    assert.equal(found.totals.billPico, truthPico)
  })
})
