import assert from 'node:assert/strict'
import path from 'node:path'
import { after, describe, test, type TestContext } from 'node:test'
import { EVENTS_TOPIC } from '../../schemas/topics.ts'
import { attach } from '../../services/lake/snapshot.ts'
import { EmbeddedLog } from '../../services/stream/embedded/log.ts'
import { KafkaLog } from '../../services/stream/kafka/log.ts'
import { skipKafka, startBroker } from '../kafka/broker.ts'
import { assertSettled } from './checker.ts'
import { createLedger, type Ledger } from './ledger.ts'
import { consumeAll, createStand, faultFolder, settleAll, type Stand } from './stand.ts'

const skip = skipKafka(process.env)
const broker = skip === false ? await startBroker() : null
after(() => broker?.stop())

const topic = EVENTS_TOPIC
const PARTITIONS = 4
/** Where a record lay, and when the log took it, is the log's own affair. */
const OF_THE_LOG = 'topic, "partition", "offset", append_time'

const TABLES = [
  `SELECT * EXCLUDE (${OF_THE_LOG}, filename) FROM temp.settled ORDER BY tenant, source, id`,
  `SELECT * EXCLUDE (filename) FROM temp.windows_settled ORDER BY ALL`,
  `SELECT * EXCLUDE (filename) FROM temp.prefixes_settled ORDER BY ALL`,
  `SELECT * EXCLUDE (filename, topic, "partition", "offset") FROM temp.conflicts ORDER BY ALL`
]

const rowsOf = async ({ site }: Stand): Promise<unknown[][]> => {
  await attach(site, await site.lake.head())
  const tables: unknown[][] = []
  for (const sql of TABLES) {
    const text = `SELECT to_json(r)::VARCHAR AS row FROM (${sql}) r`
    tables.push((await site.engine.rows(text)).map(({ row }) => row))
  }
  return tables
}

const throughLog = async (
  t: TestContext,
  log: Stand['log'],
  ledger: Ledger
): Promise<unknown[][]> => {
  await log.ensureTopic(topic, PARTITIONS)
  await log.append(topic, ledger.records)
  const stand = await createStand(t, { log, topic })
  await consumeAll(stand)
  await settleAll(stand)
  await assertSettled(stand.data, ledger.truth)
  return rowsOf(stand)
}

describe('the same stream', { skip }, () => {
  test('settles to the same rows through Kafka and through the embedded log', async (t) => {
    const ledger = createLedger({
      seed: 21,
      events: 5_000,
      startMs: Date.parse('2026-03-01T00:00:00Z'),
      repeats: 0.15,
      conflicts: 0.05
    })
    const embedded = new EmbeddedLog(path.join(await faultFolder(t), 'log'))
    t.after(() => embedded.close())
    const kafka = new KafkaLog({ brokers: [broker!.brokers] })
    t.after(() => kafka.close())
    const here = await throughLog(t, embedded, ledger)
    const there = await throughLog(t, kafka, ledger)
    assert.equal(here[0]?.length, ledger.truth.events)
    assert.equal(here[3]?.length, ledger.truth.conflicts)
    for (const [index, rows] of here.entries()) {
      assert.ok(rows.length > 0, TABLES[index])
      // The first rows that differ say enough.
      const differing = rows.filter((row, place) => row !== there[index]?.[place])
      assert.deepEqual(differing.slice(0, 2), [], TABLES[index])
      assert.equal(there[index]?.length, rows.length, TABLES[index])
    }
  })
})
