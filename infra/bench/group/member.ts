import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import pino from 'pino'
import { Consumer, CONSUMER_DEFAULTS } from '../../../services/consume/consumer.ts'
import { startLanding } from '../../../services/consume/landing-thread.ts'
import { KafkaLog } from '../../../services/stream/kafka/log.ts'
import { PREFIX_BYTES, RACE_COLUMNS, RACE_FIXED } from '../race-mapping.ts'

/**
 * One member of a group that lands a topic. It tells its parent when it has its share, begins when
 * the parent says so (else the first to join would land most of it before the others come), and
 * ends when the lake has all of it, whoever landed it. To its parent it sends `Said`.
 */
export type Said = {
  /** CPU-seconds of all threads since the process began. */
  cpu_s: number
}

const [brokers = '', topic = '', schemaFile = '', dir = '', group = '', members = '1'] =
  process.argv.slice(2)
const LOOK_MS = 100
const US_PER_S = 1_000_000

const schema: unknown = JSON.parse(await readFile(schemaFile, 'utf8'))
const say = (): void => {
  const { user, system } = process.cpuUsage()
  process.send!({ cpu_s: (user + system) / US_PER_S } satisfies Said)
}

const log = new KafkaLog({ brokers: brokers.split(',') })
const ends = await log.partitions(topic)
const share = ends.length / Number(members)
const landing = startLanding({
  dir,
  crashAt: null,
  foreign: { schema, prefixBytes: PREFIX_BYTES, columns: RACE_COLUMNS, fixed: RACE_FIXED }
})
// Opens the lake and the engine.
await landing.positions(topic)
const join = log.join.bind(log)
log.join = (name, of, { assigned, failed }) =>
  join(name, of, {
    failed,
    assigned: async (partitions) => {
      if (partitions.length !== share) return
      say()
      await once(process, 'message')
      await assigned(partitions)
    }
  })
const consumer = new Consumer(
  { topic, group, ...CONSUMER_DEFAULTS },
  { log, landing, logger: pino({ level: 'warn' }, pino.destination(2)), nowMs: Date.now }
)
const isLanded = async (): Promise<boolean> => {
  const positions = await landing.positions(topic)
  return ends.every(({ partition, end }) => (positions.get(partition)?.next ?? 0) >= end)
}

const running = consumer.run()
// At the end of its own partitions it hurries: nobody waits for a flush by time.
await Promise.race([consumer.caughtUp(), running])
while (!(await isLanded())) await Promise.race([sleep(LOOK_MS), running])
say()
consumer.stop()
await running
await landing.close()
await landing.terminate()
await log.close()
process.disconnect()
