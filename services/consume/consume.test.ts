import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import pino from 'pino'
import { encodeEvent } from '../../schemas/avro/encode-event.ts'
import { flattenEvent } from '../../schemas/avro/flatten-event.ts'
import { UsageEvent } from '../../schemas/event.ts'
import { EVENTS_TOPIC, CONSUMER_GROUP } from '../../schemas/topics.ts'
import { Engine, type Row } from '../lake/engine.ts'
import { parquetWriter } from '../lake/land-table.ts'
import { openLake } from '../lake/lake.ts'
import { EmbeddedLog } from '../stream/embedded/log.ts'
import type { EventLog, OutRecord } from '../stream/log.ts'
import { Consumer, CONSUMER_DEFAULTS } from './consumer.ts'
import { startLanding } from './landing-thread.ts'

const logger = pino({ level: 'silent' })
const START_MS = Date.parse('2026-03-01T10:00:00Z')

const event = (index: number, more: Partial<UsageEvent> = {}): UsageEvent =>
  UsageEvent.parse({
    id: `event-${index}`,
    time: new Date(START_MS + index * 1000).toISOString(),
    tenant: `tenant-${index % 3}`,
    kind: 'llm',
    provider: 'openai',
    response_model: 'gpt-4o-2024-08-06',
    duration_ms: 100 + index,
    tokens: { in_uncached: 100 + index, in_cache_read: 50, out_text: 10 },
    ...more
  })

const record = (usage: UsageEvent): OutRecord => ({
  key: usage.trace_id ?? usage.id,
  value: encodeEvent(flattenEvent(usage))
})

type Stage = { dir: string; log: EventLog }

const withStage = async (t: TestContext, partitions = 2): Promise<Stage> => {
  const dir = await mkdtemp(path.join(tmpdir(), 'tally-consume-'))
  const log = new EmbeddedLog(path.join(dir, 'log'), { now: () => new Date(START_MS + 3_600_000) })
  await log.ensureTopic(EVENTS_TOPIC, partitions)
  t.after(async () => {
    await log.close()
    await rm(dir, { recursive: true })
  })
  return { dir, log }
}

/** Reads everything that the log holds into the lake and stops. */
const consumeAll = async ({ dir, log }: Stage, settings = {}): Promise<void> => {
  const landing = startLanding({ dir: path.join(dir, 'lake'), crashAt: null })
  const consumer = new Consumer(
    { topic: EVENTS_TOPIC, group: CONSUMER_GROUP, ...CONSUMER_DEFAULTS, ...settings },
    { log, landing, logger, nowMs: Date.now }
  )
  const running = consumer.run()
  await Promise.race([consumer.caughtUp(), running])
  consumer.stop()
  await running
  await landing.close()
  await landing.terminate()
}

const query = async ({ dir }: Stage, table: string, sql: string): Promise<Row[]> => {
  const engine = await Engine.open()
  const lakeDir = path.join(dir, 'lake')
  const lake = await openLake(lakeDir, { writeParquet: parquetWriter(engine) })
  const { files } = await lake.head()
  const live = [...(files.get(table as never)?.values() ?? [])] as { path: string }[]
  const list = live.map((file) => `'${path.join(lakeDir, table, file.path)}'`).join(', ')
  const rows = await engine.rows(sql.replace('$files', `read_parquet([${list}])`))
  engine.close()
  return rows
}

describe('consuming', () => {
  test('lands every event once, with windows that add up to the same', async (t) => {
    const stage = await withStage(t)
    await stage.log.append(
      EVENTS_TOPIC,
      Array.from({ length: 500 }, (_, index) => record(event(index)))
    )
    await consumeAll(stage)
    const [raw] = await query(
      stage,
      'events_raw',
      `SELECT count(*)::INT AS n, count(DISTINCT id)::INT AS ids, sum(in_total)::INT AS tokens,
         count(cost_pico)::INT AS priced, sum(cost_pico)::BIGINT AS cost FROM $files`
    )
    const tokens = 500 * 150 + (499 * 500) / 2
    assert.deepEqual(
      [raw?.['n'], raw?.['ids'], raw?.['tokens'], raw?.['priced']],
      [500, 500, tokens, 500]
    )
    const [windows] = await query(
      stage,
      'windows_raw',
      'SELECT sum(n)::INT AS n, sum(in_total)::INT AS tokens, sum(cost_pico)::BIGINT AS cost FROM $files'
    )
    assert.deepEqual(windows, { n: 500, tokens, cost: raw?.['cost'] })
  })
})
