import { after } from 'node:test'
import { skipKafka, startBroker } from '../../../infra/kafka/broker.ts'
import { conformance } from '../conformance.ts'
import { KafkaLog } from './log.ts'

const skip = skipKafka(process.env)
const broker = skip === false ? await startBroker() : null
const settings = { brokers: [broker?.brokers ?? ''], metadataMaxAgeMs: 500 }
const log = new KafkaLog(settings)
after(async () => {
  await log.close()
  await broker?.stop()
})

conformance({ name: 'Kafka log', open: () => log, skip })
