import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { EVENTS_TOPIC } from '../../../schemas/topics.ts'
import { KafkaLog } from '../../../services/stream/kafka/log.ts'
import { runLive } from './run-live.ts'

/**
 * Latency and memory of `tally up` under a steady load. LIVE_RATE is events a second, LIVE_MINUTES
 * how long; BROKERS names a Kafka of the bench's own, whose topic of events is deleted before; the
 * embedded log without it. Where others use the machine, LIVE_NICE gives the run a larger share of it
 * (-10, say; Linux, as root): else it is their load that is measured. Prints one JSON line.
 */
const { LIVE_RATE = '1000', LIVE_MINUTES = '5', LIVE_NICE = '0', BROKERS } = process.env
// Sessions share cores by their group, within which alone a process's own priority counts.
if (LIVE_NICE !== '0') await writeFile('/proc/self/autogroup', LIVE_NICE)
const data = await mkdtemp(path.join(process.env['BENCH_DIR'] ?? tmpdir(), 'tally-live-'))
try {
  if (BROKERS !== undefined) {
    const log = new KafkaLog({ brokers: BROKERS.split(',') })
    await log.deleteTopic(EVENTS_TOPIC)
    await log.close()
  }
  const place = { data, brokers: BROKERS }
  const options = { place, rate: Number(LIVE_RATE), minutes: Number(LIVE_MINUTES) }
  const date = new Date().toISOString().slice(0, 10)
  const figures = { date, nice: Number(LIVE_NICE), ...(await runLive(options)) }
  process.stdout.write(`${JSON.stringify(figures)}\n`)
} finally {
  await rm(data, { recursive: true, force: true })
}
