import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventRow } from '../../schemas/avro/flatten-event.ts'
import { ISSUES, type Issue, type Prices } from './fixtures/known-issues.ts'
import { LOST_AND_REPEATED } from './fixtures/known-issues-of-lost-calls.ts'
import { checkEvent } from './check-event.ts'
import { eventRow } from './event-record.ts'
import { withTenant } from './intake.ts'
import { loadSource } from './sources/load.ts'

/**
 * Reports of other meters whose figures come from what an emitter sent rather than from one block:
 * the same input gives the rows that the report says are right. Those of single blocks and streams
 * are in `normalize/known-bugs-of-*.test.ts`, those of transcripts beside their source.
 */

/** Rows as the lake has them: of one key the first. */
const rowsOf = async ({ source, sent }: Issue): Promise<EventRow[]> => {
  const { read } = await loadSource(source)
  const bytes = Buffer.from(JSON.stringify(sent))
  const message = { bytes, mediaType: 'application/json', door: '/v1/traces', headers: {} }
  const reading = read({ ...message, tenant: 'acme' })
  assert.deepEqual(reading.faults, [])
  const rules = { nowMs: Date.parse('2026-11-24T00:00:00Z'), tenantOnly: null, itemsMax: Infinity }
  const rows = new Map<string, EventRow>()
  for (const item of reading.items) {
    const checked = checkEvent(withTenant(item.event, 'acme'), item, rules)
    assert.ok('event' in checked, JSON.stringify(checked))
    if (!rows.has(checked.event.id)) rows.set(checked.event.id, eventRow(checked.event))
  }
  return [...rows.values()]
}

const sum = (rows: readonly EventRow[], column: string): number =>
  rows.reduce((total, row) => total + Number(row[column] ?? 0), 0)

const costOf = (row: EventRow, [fresh, read, write, out]: Prices): number => {
  const of = (name: string): number => Number(row[name] ?? 0)
  const writes = of('in_cache_write_unk') + of('in_cache_write_5m') + of('in_cache_write_1h')
  const parts = of('in_uncached') * fresh + of('in_cache_read') * read + writes * write
  return (parts + of('out_total') * out) / 1e6
}

for (const issue of [...ISSUES, ...LOST_AND_REPEATED]) {
  test(`${issue.shows} (${issue.url})`, async () => {
    const rows = await rowsOf(issue)
    const { rows: number, reported, usd, flagged, ...columns } = issue.right
    if (number !== undefined) assert.equal(rows.length, number)
    for (const [column, value] of Object.entries(columns)) {
      assert.equal(sum(rows, column), value, column)
    }
    if (reported !== undefined) {
      const digits = reported.split('.')[1]?.length ?? 0
      assert.equal(sum(rows, 'cost_reported_usd').toFixed(digits), reported)
    }
    if (usd !== undefined) {
      const prices = issue.prices ?? [0, 0, 0, 0]
      assert.equal(rows.reduce((total, row) => total + costOf(row, prices), 0).toFixed(2), usd)
    }
    if (flagged !== undefined) assert.match(String(rows[0]?.['usage_warnings']), flagged)
  })
}

test('attempts of one call are numbered as LiteLLM numbers its retries', async () => {
  const issue = ISSUES.find(({ url }) => url.endsWith('/39455'))!
  assert.deepEqual(
    (await rowsOf(issue)).map((row) => row['attempt']),
    [1, 2, 3]
  )
})
