import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { bookWith, loadBook } from '../../../services/rates/prices/book.ts'
import { parseContracts } from '../../../services/rates/prices/contracts.ts'
import { keepBill } from '../../reconcile/kept-bills.ts'
import { callAt, openChargeTest } from '../fixtures/charge-site.ts'
import { parseRules } from '../rules.ts'
import { focusCopySql } from './focus-sql.ts'

const script = new URL('../../../infra/python/focus-validator.sh', import.meta.url).pathname
/** What the script says where there is no Python that the validator runs on. */
const NO_PYTHON = 77

/** Two halves of an OR of the validator: one of them always fails. */
const ALWAYS_FAILING = new Set(['InvoiceId-C-004-C', 'InvoiceId-C-005-C'])

const CRITERIA = [
  'ACCOUNT_NAMING_SUPPORTED',
  'MULTIPLE_SUB_ACCOUNT_TYPES_SUPPORTED',
  'MULTIPLE_BILLING_ACCOUNT_TYPES_SUPPORTED',
  'MULTIPLE_PRICING_CATEGORIES_SUPPORTED',
  'NEGOTIATED_PRICING_SUPPORTED',
  'PUBLIC_PRICE_LIST_SUPPORTED',
  'USAGE_MEASUREMENT_SUPPORTED',
  'UNIT_PRICING_SUPPORTED',
  'SUB_ACCOUNT_SUPPORTED',
  'TAGGING_SUPPORTED'
]

const own = parseContracts(`models:
  - { provider: anthropic, model: model-a, usd_per_million: { in: 3, read: 0.3, write: 3.75, out: 15 }, usd_per_unit: { web_search: 0.01 } }
contracts:
  - { id: deal, provider: anthropic, discount_pct: 20 }`)
const shipped = await loadBook()
const list = bookWith(shipped, { rows: own.rows })
const books = { list, contracted: bookWith(shipped, own) }

test('the validator of FOCUS 1.2 finds nothing in usage, units, corrections, adjustments and allocations', async (t) => {
  const setup = spawnSync(script, { encoding: 'utf8' })
  if (setup.status === NO_PYTHON && process.env['CI'] !== 'true') return t.skip('no Python 3.12')
  assert.equal(setup.status, 0, setup.stderr)
  const site = await openChargeTest(t, list)
  const tokens = {
    in_uncached: 5000,
    in_cache_write_5m: 2000,
    in_cache_read: 80_000,
    out_text: 1500
  }
  const first = callAt('a', '2026-10-05T10:20:00Z', { tokens, project: 'p', team: 't' })
  const shared = callAt('b', '2026-10-05T10:30:00Z', {
    tokens: { ...tokens, units: { web_search: 3 } },
    tenant: 'shared'
  })
  const unpriced = callAt('c', '2026-10-05T10:40:00Z', { tokens, response_model: 'nobody-knows' })
  await site.settle([first, shared, unpriced])
  await site.close('2026-10', { books })
  await site.settle([first, shared, unpriced, { ...first, id: 'late' }])
  await site.settle([
    callAt('n', '2026-11-02T00:00:00Z', { tokens }),
    callAt('s', '2026-11-02T00:00:00Z', { tokens, tenant: 'shared' })
  ])
  const bill = {
    provider: 'anthropic',
    model: 'model-a',
    fromMs: Date.parse('2026-11-01'),
    toMs: Date.parse('2026-12-01')
  }
  const line = {
    ...bill,
    meter: 'in' as const,
    tier: null,
    quantity: null,
    requests: null,
    amountPico: 10n ** 12n,
    roundingPico: 0n,
    label: '',
    identity: ''
  }
  await keepBill(site, { dialect: 'focus', sha256: 'x', lines: [line] })
  const rules = parseRules(
    'rules: [{ id: share, match: { tenant: shared }, method: fixed, shares: { acme: 1, globex: 1 } }]'
  )
  await site.close('2026-11', { books, rules })
  const kinds = await site.engine.rows(
    'SELECT DISTINCT category, charge_class FROM temp.month_rows'
  )
  assert.equal(kinds.length, 4)
  const file = path.join(site.folder, 'focus.parquet')
  await site.engine.run(focusCopySql('temp.month_rows', file, { format: 'parquet' }))
  assert.deepEqual(failures(setup.stdout.trim(), file), [])
})

const failures = (venv: string, file: string): string[] => {
  // It opens a file of its own by a path relative to its package.
  const [python = ''] = readdirSync(path.join(venv, 'lib'))
  const args = [
    '--data-file',
    file,
    '--validate-version',
    '1.2',
    '--block-download',
    '--show-violations'
  ]
  const run = spawnSync(
    path.join(venv, 'bin/focus-validator'),
    [...args, '--applicability-criteria', CRITERIA.join(',')],
    { cwd: path.join(venv, 'lib', python, 'site-packages'), encoding: 'utf8', maxBuffer: 1 << 26 }
  )
  const checked = [...run.stdout.matchAll(/✅/g)].length
  assert.ok(checked > 100, `${checked} checks passed: ${run.stderr.slice(-500)}`)
  const failed = [...run.stdout.matchAll(/❌ ([\w-]+)/g)].map(([, rule = '']) => rule)
  return failed.filter((rule) => !ALWAYS_FAILING.has(rule))
}
