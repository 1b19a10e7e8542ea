import assert from 'node:assert/strict'
import { cp } from 'node:fs/promises'
import path from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import type { UsageEvent } from '../../schemas/event.ts'
import { Failure } from '../../schemas/failure.ts'
import type { Finding } from '../../schemas/finding.ts'
import { numberFindings } from '../../schemas/incidents.ts'
import { NOTHING } from '../../services/lake/commit.ts'
import { crashAt } from '../../services/lake/crash-point.ts'
import { landTable } from '../../services/lake/land-table.ts'
import { localFiles } from '../../services/lake/local-files.ts'
import { scratchFolder } from '../../services/lake/scratch-lake.ts'
import { bookWith, loadBook } from '../../services/rates/prices/book.ts'
import { parseContracts } from '../../services/rates/prices/contracts.ts'
import { rowSelect } from '../row-select.ts'
import { keepBill } from '../reconcile/kept-bills.ts'
import { callAt, openChargeTest, type ChargeTest } from './fixtures/charge-site.ts'
import { statementHtml } from './render/statement-html.ts'
import { readStatement } from './render/statement.ts'
import { parseMonth } from './month.ts'
import { parseRules } from './rules.ts'

const own = parseContracts(`models:
  - { provider: anthropic, model: model-a, usd_per_million: { in: 3, read: 0.3, write: 3.75, out: 15 } }`)
const prices = bookWith(await loadBook(), own)
/** Every crash point under `make prove`; every fifth in the suite. */
const CRASH_STEP = Number(process.env['CRASH_STEP'] ?? 5)
/** More steps than a close has: where no crash comes any more, all were seen. */
const CRASHES_MAX = 400

const spend = (tenant: string, usd: number, rest: Partial<UsageEvent> = {}): UsageEvent =>
  callAt(`${tenant}-${usd}-${rest.cache_pool ?? ''}`, '2026-10-05T10:20:00Z', {
    tenant,
    tokens: { in_uncached: Math.round((usd * 1e6) / 3), out_text: 0 },
    ...rest
  })

const dues = async ({ engine }: ChargeTest): Promise<Record<string, number>> => {
  const rows = await engine.rows(
    "SELECT coalesce(tenant, '-') AS tenant, cents::INTEGER AS cents FROM temp.statement_lines WHERE section = 'total'"
  )
  return Object.fromEntries(rows.map(({ tenant, cents }) => [tenant, cents])) as Record<
    string,
    number
  >
}

describe('a close', () => {
  test('that is killed anywhere and tried again gives the identical manifest', async (t) => {
    const site = await openChargeTest(t, prices)
    await site.settle([spend('acme', 1.234), spend('globex', 2.345)])
    const folder = await scratchFolder(t)
    await cp(site.folder, path.join(folder, 'calm'), { recursive: true })
    const calm = await openChargeTest(t, prices, { folder: path.join(folder, 'calm') })
    const { manifest_sha256: expected } = (await calm.close('2026-10')).close
    let crashes = 0
    for (let step = 1; step < CRASHES_MAX; step += CRASH_STEP) {
      const copy = path.join(folder, String(step))
      await cp(site.folder, copy, { recursive: true })
      const hasCrashed = await crashing(t, copy, step)
      const again = await openChargeTest(t, prices, { folder: copy })
      assert.equal((await again.close('2026-10')).close.manifest_sha256, expected, `step ${step}`)
      if (!hasCrashed) break
      crashes += 1
    }
    assert.ok(crashes >= 3, `${crashes} crashes`)
    t.diagnostic(`seen: ${crashes} crashes, each time the identical manifest afterwards`)
  })

  test('is refused while hours are open, and names how to sign that off', async (t) => {
    const site = await openChargeTest(t, prices)
    await site.settle([spend('acme', 1)])
    await assert.rejects(
      site.close('2026-10', { closedUntilMs: Date.parse('2026-10-30') }),
      (error: unknown) => error instanceof Failure && error.code === 'E_CLOSE_REFUSED'
    )
  })
})

/** Closes until the storage dies at a step; says whether it did. */
const crashing = async (t: TestContext, folder: string, step: number): Promise<boolean> => {
  const files = localFiles(folder, {
    step: crashAt(step, (name) => {
      throw new Error(`crash at ${name}`)
    })
  })
  try {
    const site = await openChargeTest(t, prices, { folder, files })
    await site.close('2026-10')
    return false
  } catch {
    return true
  }
}

describe('what tenants pay', () => {
  const lineOf = (usd: number) => ({
    provider: 'anthropic',
    model: 'model-a',
    fromMs: Date.parse('2026-10-01'),
    toMs: Date.parse('2026-11-01'),
    meter: 'in_uncached' as const,
    tier: null,
    quantity: null,
    requests: null,
    amountPico: BigInt(Math.round(usd * 1e12)),
    roundingPico: 0n,
    label: '',
    identity: String(usd)
  })

  test('sums with what nobody pays to the bill that came; a bill issued again is a correction', async (t) => {
    const site = await openChargeTest(t, prices)
    await site.settle([spend('acme', 10), spend('globex', 20)])
    await keepBill(site, { dialect: 'focus', sha256: 'one', lines: [lineOf(33.337)] })
    await keepBill(site, { dialect: 'focus', sha256: 'one', lines: [lineOf(33.337)] })
    const october = await site.close('2026-10')
    assert.deepEqual(await dues(site), { acme: 1000, globex: 2000, '-': 334 })
    assert.equal(october.totals.billPico, 33_337_000_000_000n - 0n)
    await keepBill(site, { dialect: 'focus', sha256: 'two', lines: [lineOf(34)] })
    const november = await site.close('2026-11')
    assert.equal(november.totals.billPico, 663_000_000_000n)
    const rows = await site.engine.rows(
      'SELECT DISTINCT charge_class, category FROM temp.month_rows'
    )
    assert.deepEqual(rows, [{ charge_class: 'Correction', category: 'adjustment' }])
    assert.deepEqual((await site.close('2026-10')).totals, october.totals)
  })

  test('follows the rules: shared tenants, fixed shares and pools, with ratios that sum to 1', async (t) => {
    const site = await openChargeTest(t, prices)
    const write = (tenant: string, writes: number, reads: number) =>
      callAt(`${tenant}-cache`, '2026-10-05T10:20:00Z', {
        tenant,
        cache_pool: 'p',
        tokens: { in_uncached: 0, in_cache_write_5m: writes, in_cache_read: reads, out_text: 0 }
      })
    await site.settle([
      spend('gateway', 3),
      spend('eval', 3),
      spend('acme', 10),
      spend('globex', 20),
      write('acme', 800_000, 1_000_000),
      write('globex', 0, 3_000_000)
    ])
    const rules = parseRules(`rules:
  - { id: gateway, match: { tenant: gateway }, method: proportional, by: cost, to: [acme, globex] }
  - { id: eval, match: { tenant: eval }, method: fixed, shares: { acme: 1, globex: 2 } }
  - { id: cache, match: { cache_pool: p, meter: 'in_cache_write_*' }, method: proportional, by: cache_reads }`)
    const { totals } = await site.close('2026-10', { rules })
    // The writes of 3.00 are shared one to three by reads of 0.30 and 0.90.
    assert.equal(totals.billCents, 3600n + 120n + 300n)
    const paid = await dues(site)
    assert.equal(paid['gateway'], 0)
    assert.equal(paid['eval'], 0)
    const rows = await site.engine.rows(`SELECT rule, tenant, billed_pico AS pico,
        details->'$.Elements[0].AllocatedRatio' AS ratio FROM temp.month_rows
      WHERE category = 'allocation' AND details IS NOT NULL ORDER BY rule, tenant`)
    const shares = rows.map(({ rule, tenant, pico, ratio }) => [rule, tenant, pico, Number(ratio)])
    assert.deepEqual(shares.slice(0, 4), [
      ['cache', 'acme', 750_000_000_000n, 0.25],
      ['cache', 'globex', 2_250_000_000_000n, 0.75],
      ['eval', 'acme', 1_000_000_000_000n, 1 / 3],
      ['eval', 'globex', 2_000_000_000_000n, 2 / 3]
    ])
    const [sum] = await site.engine.rows(
      "SELECT sum(billed_pico)::BIGINT AS pico FROM temp.month_rows WHERE category = 'allocation'"
    )
    assert.equal(sum?.['pico'], 0n)
  })

  test('moves the cost of a cache collapse from its victims to its culprit, with the finding', async (t) => {
    const site = await openChargeTest(t, prices)
    await site.settle([
      spend('noisy', 1),
      callAt('v', '2026-10-05T10:20:00Z', {
        tenant: 'victim',
        tokens: { in_uncached: 1_000_000, in_cache_read: 1_000_000, out_text: 0 }
      })
    ])
    await landFinding(site)
    const rules = parseRules('move_cache_collapse_to_culprit: true')
    await site.close('2026-10', { rules })
    // 60 minutes, 2,000 tokens a minute more than before, 2.70 per million each: 0.324.
    assert.deepEqual(await dues(site), { noisy: 132, victim: 330 - 32 })
    const [row] = await site.engine.rows(
      "SELECT details->>'fingerprint' AS f FROM temp.month_rows WHERE rule = 'cache-collapse' LIMIT 1"
    )
    assert.equal(row?.['f'], 'pool-1')
  })

  test('is on a page that carries names as text and needs nothing else', async (t) => {
    const site = await openChargeTest(t, prices)
    await site.settle([spend('<b>acme</b>', 1.5)])
    await site.close('2026-10')
    const statement = await readStatement(site.engine, {
      month: parseMonth('2026-10'),
      tenant: '<b>acme</b>',
      isClosed: true
    })
    assert.equal(statement.total_usd, '1.50')
    const page = statementHtml(statement)
    assert.match(page, /&lt;b&gt;acme/)
    assert.doesNotMatch(page, /<b>acme|<script|<link|src=/)
  })
})

const landFinding = async ({ engine, lake }: ChargeTest): Promise<void> => {
  const finding: Finding = {
    signal: 'cache-thrash',
    fingerprint: 'pool-1',
    status: 'firing',
    severity: 'critical',
    tenant: null,
    scope: { level: 'pool' },
    axis: 'client',
    started_at: '2026-10-05T10:00:00.000Z',
    detected_at: '2026-10-05T11:00:00.000Z',
    summary: 'x',
    before: {},
    after: {},
    cost_usd_per_hour: null,
    culprit: { tenant: 'noisy', confidence: 'high' },
    victims: [
      {
        tenant: 'victim',
        remissed_tokens_per_minute_before: 500,
        remissed_tokens_per_minute_after: 2500
      }
    ],
    contributors: [],
    runbook: '',
    query: 'SELECT 1',
    generation: 'g'
  }
  const { rows, state } = numberFindings(new Map(), [finding])
  const file = await landTable(
    { engine, lake },
    { table: 'findings', sql: rowSelect('findings', rows), time: null }
  )
  assert.ok(file)
  await lake.commit(() => ({ ...NOTHING, kind: 'detect', adds: [file], state }))
}
