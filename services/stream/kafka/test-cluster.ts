import { Kafka, logLevel, type Admin } from 'kafkajs'
import {
  skipKafka,
  startBroker,
  type Broker,
  type BrokerOptions
} from '../../../infra/kafka/broker.ts'
import { readAll, valuesOf } from '../conformance/case.ts'
import { KafkaLog } from './log.ts'

/** A node of its own for a test file, our log on it, and another client beside ours. */
export type TestCluster = {
  /** Why there is none; false when it runs. */
  skip: string | false
  broker: Broker | null
  brokers: string[]
  log: KafkaLog
  other: Kafka
  newTopic: (name: string, partitions?: number) => Promise<string>
  /** Values of a partition, as our log reads them. */
  readValues: (topic: string, partition?: number) => Promise<(string | null)[]>
  withAdmin: <T>(use: (admin: Admin) => Promise<T>) => Promise<T>
  stop: () => Promise<void>
}

/** New partitions are to be seen within the time of a test. */
const METADATA_MAX_AGE_MS = 500

export const startTestCluster = async (
  env: Readonly<Record<string, string | undefined>>,
  options: BrokerOptions = {}
): Promise<TestCluster> => {
  const skip = skipKafka(env)
  const broker = skip === false ? await startBroker(options) : null
  const brokers = [broker?.brokers ?? '']
  const log = new KafkaLog({ brokers, metadataMaxAgeMs: METADATA_MAX_AGE_MS })
  const other = new Kafka({ brokers, logLevel: logLevel.NOTHING })
  return {
    skip,
    broker,
    brokers,
    log,
    other,
    newTopic: async (name, partitions = 1) => {
      await log.ensureTopic(name, partitions)
      return name
    },
    readValues: async (topic, partition = 0) =>
      (await readAll(log, { topic, partition })).flatMap(valuesOf),
    withAdmin: async (use) => {
      const admin = other.admin()
      await admin.connect()
      try {
        return await use(admin)
      } finally {
        await admin.disconnect()
      }
    },
    stop: async () => {
      await log.close()
      await broker?.stop()
    }
  }
}
