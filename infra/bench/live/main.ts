import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { EVENTS_TOPIC } from '../../../schemas/topics.ts'
import { KafkaLog } from '../../../services/stream/kafka/log.ts'
import { runLive } from './run-live.ts'

/**
 * Latency and memory of `tally up` under a steady load. LIVE_RATE is events a second, LIVE_MINUTES
 * how long; BROKERS names a Kafka of the bench's own, whose topic of events is deleted before; the
 * embedded log without it. Prints one JSON line.
 */
const { LIVE_RATE = '1000', LIVE_MINUTES = '5', BROKERS } = process.env
const data = await mkdtemp(path.join(process.env['BENCH_DIR'] ?? tmpdir(), 'tally-live-'))
try {
  if (BROKERS !== undefined) {
    const log = new KafkaLog({ brokers: BROKERS.split(',') })
    await log.deleteTopic(EVENTS_TOPIC)
    await log.close()
  }
  const place = { data, brokers: BROKERS }
  const options = { place, rate: Number(LIVE_RATE), minutes: Number(LIVE_MINUTES) }
  process.stdout.write(`${JSON.stringify(await runLive(options))}\n`)
} finally {
  await rm(data, { recursive: true, force: true })
}
