import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { runScript } from './journey.ts'

/** A dozen commands, each with a start of its own; on a busy machine they take their time. */
const TIMEOUT_MS = 900_000

type Closed = {
  closed: boolean
  bill_usd: string
  tenants_usd: string
  unallocated_usd: string
  checks: { name: string; ok: boolean | null; seen: string }[]
  manifest_sha256?: string
}

const check = ({ checks }: Closed, name: string) => checks.find((one) => one.name === name)

test(
  'finance closes a month in a shell: checks, bill, shares, freeze, export, and a sum that holds',
  { timeout: TIMEOUT_MS },
  async (t) => {
    const { folder, text, read } = await runScript(t, './finance.sh', { env: process.env })

    const before = await read<Closed>('before.json')
    assert.equal(before.closed, false)
    assert.equal(check(before, 'hours')?.ok, true)
    assert.match(String(check(before, 'bills')?.seen), /missing: openai/)

    assert.equal((await text('wrong-gap.code')).trim(), '3', 'a finding ends with 3')
    const wrong = await read<{ totals: Record<string, string>; findings: object[] }>(
      'wrong-gap.json'
    )
    assert.deepEqual([wrong.totals['ours_usd'], wrong.totals['gap_usd']], ['17', '8'])
    assert.equal(wrong.findings.length, 1)
    const gap = await read<{ totals: Record<string, string> }>('gap.json')
    assert.deepEqual([gap.totals['gap_usd'], gap.totals['unexplained_usd']], ['0.5', '0'])

    const ready = await read<Closed>('ready.json')
    assert.deepEqual([ready.closed, check(ready, 'bills')?.ok], [false, true])
    const closed = await read<Closed>('closed.json')
    assert.equal(closed.closed, true)
    assert.equal(closed.bill_usd, '17.50')
    assert.equal(
      Math.round((Number(closed.tenants_usd) + Number(closed.unallocated_usd)) * 100),
      1750,
      'tenants and what nobody is charged with make the bill'
    )
    assert.equal((await text('manifest.sha256')).trim(), closed.manifest_sha256)
    for (const same of ['again.same', 'after.same']) assert.equal((await text(same)).trim(), 'same')

    const statements = await text('closed/2026-01/statements.csv')
    const total = (tenant: string): string | undefined =>
      new RegExp(`^${tenant},total,total,.*$`, 'm').exec(statements)?.[0]?.split(',')[6]
    // $11 and $5 of one's own, and by these the gateway's dollar.
    assert.deepEqual([total('acme'), total('globex')], ['1169', '531'])
    const names = await readdir(path.join(folder, 'closed/2026-01/statements'))
    for (const tenant of ['acme', 'globex', '_unallocated'])
      assert.ok(names.includes(`${tenant}.html`) && names.includes(`${tenant}.json`), tenant)
    // The month as it was closed, and what the late call adds to the month that is open.
    const exported = (await text('exported.json')).trim().split('\n')
    const rows = exported.map((line) => (JSON.parse(line) as { rows: number }).rows)
    assert.equal(rows.length, 2)
    assert.ok(rows.every((count) => count > 0))
    assert.deepEqual(await read('sum.json'), { cents: 1750 })
  }
)
