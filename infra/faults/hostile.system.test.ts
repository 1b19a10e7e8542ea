import assert from 'node:assert/strict'
import path from 'node:path'
import { describe, test } from 'node:test'
import type { UsageEvent } from '../../schemas/event.ts'
import { EVENTS_TOPIC } from '../../schemas/topics.ts'
import { eventRecord } from '../../services/collect/event-record.ts'
import { attach } from '../../services/lake/snapshot.ts'
import { EmbeddedLog } from '../../services/stream/embedded/log.ts'
import type { OutRecord } from '../../services/stream/log.ts'
import { hostileRecords } from './hostile-records.ts'
import { landBounded } from './land-bounded.ts'
import { createStand, type Stand } from './stand.ts'

const topic = EVENTS_TOPIC
/** Names that are unusual to an English eye only. */
const TENANTS = ['Zoë & 田中 🙂', 'می‌خواهم', 'plain', 'क्‍ष', "O'Brien; DROP TABLE x"]
const TOKENS = 1_000
const QUARANTINED_BYTES_MAX = 64 * 1024

const neighbour = (index: number): OutRecord => {
  const event: UsageEvent = {
    id: `good-${index}`,
    time: new Date().toISOString(),
    tenant: TENANTS[index % TENANTS.length]!,
    kind: 'llm',
    tokens: { in_uncached: TOKENS + index }
  }
  return { ...eventRecord(event), key: 'one partition' }
}

const rows = async ({ site }: Stand, sql: string): Promise<Record<string, unknown>[]> => {
  await attach(site, await site.lake.head())
  return site.engine.rows(sql)
}

describe('a hostile record between good ones', () => {
  test('becomes one row of quarantine, and its neighbours are counted', async (t) => {
    const hostile = hostileRecords(Date.now())
    const stand = await createStand(t, { log: null as never, topic })
    const log = new EmbeddedLog(path.join(stand.data, 'log'))
    t.after(() => log.close())
    await log.ensureTopic(topic, 1)
    const records = hostile.flatMap(({ value }, index) => [
      neighbour(index),
      { key: 'one partition', value }
    ])
    await log.append(topic, [...records, neighbour(hostile.length)])

    const peakMb = await landBounded(t, { ...stand, log })

    const good = await rows(
      stand,
      'SELECT tenant, in_uncached AS n, "offset" FROM temp.events ORDER BY "offset"'
    )
    assert.deepEqual(
      good,
      Array.from({ length: hostile.length + 1 }, (_, index) => ({
        tenant: TENANTS[index % TENANTS.length],
        n: BigInt(TOKENS + index),
        offset: BigInt(2 * index)
      }))
    )
    const [windows] = await rows(
      stand,
      'SELECT sum(n)::BIGINT AS n, sum(in_uncached)::BIGINT AS tokens FROM temp.windows'
    )
    const tokens = good.reduce((sum, { n }) => sum + Number(n), 0)
    assert.deepEqual(windows, { n: BigInt(good.length), tokens: BigInt(tokens) })
    const bad = await rows(
      stand,
      `SELECT "offset", code, reason, octet_length(bytes) AS kept, byte_length
       FROM temp.quarantine ORDER BY "offset"`
    )
    assert.equal(bad.length, hostile.length)
    t.diagnostic(
      `seen: ${bad.length} records in quarantine, ${good.length} events between them landed, ${Math.round(peakMb)} MB of memory at most`
    )
    for (const [index, { name, value, code: wanted, reason }] of hostile.entries()) {
      const row = bad[index]!
      const length = value?.length ?? 0
      assert.equal(row['offset'], BigInt(2 * index + 1), name)
      assert.equal(row['code'], wanted, `${name}: ${String(row['reason'])}`)
      assert.match(String(row['reason']), reason, name)
      assert.equal(Number(row['byte_length']), length, name)
      assert.equal(Number(row['kept']), Math.min(length, QUARANTINED_BYTES_MAX), name)
    }
  })
})
