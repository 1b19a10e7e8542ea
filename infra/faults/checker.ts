import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { openLakeSite } from '../../services/cli/site.ts'
import { attach } from '../../services/lake/snapshot.ts'
import type { Truth } from './ledger.ts'

/** What the lake in a folder says, in the ledger's words. */
export const readLake = async (data: string) => {
  const site = await openLakeSite({ data })
  try {
    await attach(site, await site.lake.head())
    const one = async (sql: string) => (await site.engine.table(sql)).rows[0] ?? {}
    const figures = `count(*) AS events, sum(in_total)::BIGINT AS in_total,
      sum(out_total)::BIGINT AS out_total, sum(in_cache_read)::BIGINT AS cache_read`
    return {
      events: await one(`SELECT ${figures}, count_if(provisional) AS provisional FROM temp.events`),
      windows: await one(
        `SELECT ${figures.replace('count(*)', 'sum(n)::BIGINT')} FROM temp.windows`
      ),
      tenants: (await site.engine.table('SELECT tenant, count(*) AS n FROM temp.events GROUP BY 1'))
        .rows,
      repeats: await one('SELECT count(*) - count(DISTINCT id) AS n FROM temp.events'),
      conflicts: await one('SELECT count(*) AS n FROM temp.conflicts'),
      quarantine: (
        await site.engine.table(
          `SELECT "partition", "offset", code, reason, byte_length, octet_length(bytes) AS kept
           FROM temp.quarantine ORDER BY ALL`
        )
      ).rows,
      gaps: (
        await site.engine.table(
          'SELECT "partition", incarnation, reason, "first", "next" FROM temp.gaps ORDER BY ALL'
        )
      ).rows,
      ranges: (
        await site.engine.table(
          'SELECT "partition", incarnation, "first", "next" FROM temp.ranges ORDER BY 1, 2, 3, 4'
        )
      ).rows
    }
  } finally {
    site.close()
  }
}

/**
 * Settled events and windows equal the ledger to the token; ranges follow on one another, and where
 * they do not, a gap says so.
 * @param t tells what was seen, for the page of faults.
 */
export const assertSettled = async (
  data: string,
  truth: Truth,
  t?: Pick<TestContext, 'diagnostic'>
): Promise<Seen> => {
  const seen = await readLake(data)
  const expected = {
    events: truth.events,
    in_total: truth.inTotal,
    out_total: truth.outTotal,
    cache_read: truth.cacheRead
  }
  assert.deepEqual(seen.events, { ...expected, provisional: 0 })
  assert.deepEqual(seen.windows, expected)
  assert.deepEqual(
    Object.fromEntries(seen.tenants.map(({ tenant, n }) => [tenant, n])),
    truth.byTenant
  )
  assert.deepEqual(seen.repeats, { n: 0 })
  assert.deepEqual(seen.conflicts, { n: truth.conflicts })
  assert.deepEqual(seen.quarantine, [])
  assertCovered(seen)
  t?.diagnostic(`seen: ${said(truth, seen)}`)
  return seen
}

const said = (truth: Truth, { events, repeats, conflicts, quarantine, gaps }: Seen): string =>
  [
    `a ledger of ${truth.events} events in ${truth.records} records: ${Number(events['events'])} landed`,
    `${Number(repeats['n'])} doubled`,
    `${Number(conflicts['n'])} in conflict`,
    `${quarantine.length} in quarantine`,
    gaps.length === 1 ? '1 gap' : `${gaps.length} gaps`
  ].join(', ')

export type Seen = Awaited<ReturnType<typeof readLake>>
type Row = Seen['ranges'][number]

const placeOf = (row: Row | undefined): string =>
  `partition ${String(row?.['partition'])} of ${String(row?.['incarnation'])}`

/** Every offset of every log that was met lies in one range or in a gap, from 0 on. */
export const assertCovered = ({ ranges, gaps }: Pick<Seen, 'ranges' | 'gaps'>): void => {
  const places = new Set(ranges.map(placeOf))
  for (const place of places) {
    const own = gaps.filter((gap) => placeOf(gap) === place)
    // A log that was cut off is read again from its start.
    const isReadAgain = own.some(({ reason }) => reason === 'truncation')
    let reached: unknown = 0
    for (const range of ranges.filter((one) => placeOf(one) === place)) {
      const gap = own.find(({ first }) => first === reached)
      if (range['first'] !== reached && gap !== undefined) reached = gap['next']
      if (!isReadAgain) assert.equal(range['first'], reached, place)
      reached = isReadAgain ? Math.max(Number(reached), Number(range['next'])) : range['next']
    }
  }
}
