import { join } from 'node:path'
import avro from 'avsc'
import { EVENT_SCHEMA } from '../../../schemas/avro/event-schema.ts'
import { PREFIX_BYTES } from '../../../schemas/avro/fingerprint.ts'
import { EVENTS_TOPIC } from '../../../schemas/topics.ts'
import { EmbeddedLog } from '../../../services/stream/embedded/log.ts'
import type { RecordRun } from '../../../services/stream/log.ts'
import { SERIAL_DIGITS } from './batch.ts'

const READ = { bytesMax: 4 * 1024 * 1024, waitMsMax: 0 }

/** Reads ids alone, by avsc and not by the decoder of the product. */
const writer = avro.Type.forSchema(EVENT_SCHEMA as avro.Schema)
const reader = avro.Type.forSchema({
  ...EVENT_SCHEMA,
  fields: EVENT_SCHEMA.fields.filter(({ name }) => name === 'id')
} as avro.Schema)
const resolver = reader.createResolver(writer)

/** `bench-0000000042`, or the ids of trace and span with a serial of 32 bits at the end of both. */
const SERIAL = new RegExp(`^bench-(\\d{${SERIAL_DIGITS}})$|^[\\da-f]{24}([\\da-f]{8})-`)

const serialOf = (value: Uint8Array): number => {
  const { id } = reader.fromBuffer(Buffer.from(value.subarray(PREFIX_BYTES)), resolver) as {
    id: string
  }
  const [, decimal, hex] = SERIAL.exec(id) ?? []
  return decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal)
}

const countRun = (run: RecordRun, counts: Uint8Array): void => {
  const [fault] = run.faults
  if (fault !== undefined) throw new Error(`the log is damaged at ${fault.first}: ${fault.reason}`)
  for (let index = 0; index < run.count; index++) {
    const serial = serialOf(run.bytes.subarray(run.valueStart[index], run.valueEnd[index]))
    if (!(serial < counts.length)) throw new Error('the log holds an event that was never sent')
    counts[serial] = (counts[serial] ?? 0) + 1
  }
}

/** How often the log in a folder holds each serial below `serials`. */
export const countLog = async (data: string, serials: number): Promise<Uint8Array> => {
  const counts = new Uint8Array(serials)
  const log = new EmbeddedLog(join(data, 'log'))
  for (const { partition, start, end } of await log.partitions(EVENTS_TOPIC)) {
    for (let offset = start; offset < end;) {
      const run = await log.read(EVENTS_TOPIC, partition, offset, READ)
      countRun(run, counts)
      offset = run.next
    }
  }
  await log.close()
  return counts
}
