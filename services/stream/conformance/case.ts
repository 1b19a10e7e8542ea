import assert from 'node:assert/strict'
import { Failure, type FailureCode } from '../../../schemas/failure.ts'
import type { LogAdmin } from '../log-admin.ts'
import {
  NULL_VALUE,
  type EventLog,
  type OutRecord,
  type ReadLimits,
  type RecordRun
} from '../log.ts'

/** A log under test: with what operators and retention do to it. */
export type ConformantLog = EventLog & LogAdmin

/** One thing that every implementation of the port has to do. */
export type ConformanceCase = {
  /** A sentence, read behind the name of the group. */
  name: string
  /** Of the topic that the case gets for itself. */
  partitions: number
  run: (log: ConformantLog, topic: string) => Promise<void>
}

export const NO_WAIT: ReadLimits = { bytesMax: 1_000_000, waitMsMax: 0 }
/** Longer than any healthy read takes: where news is due, it is waited for. */
export const PATIENT: ReadLimits = { bytesMax: 1_000_000, waitMsMax: 20_000 }

/** The value of a record as text. */
export const valueAt = (run: RecordRun, index: number): string | null =>
  run.valueEnd[index] === NULL_VALUE
    ? null
    : Buffer.from(run.bytes.subarray(run.valueStart[index], run.valueEnd[index])).toString()

export const valuesOf = (run: RecordRun): (string | null)[] =>
  Array.from({ length: run.count }, (_, index) => valueAt(run, index))

export const record = (key: string, value: string): OutRecord => ({
  key,
  value: Buffer.from(value)
})

/** Records value-0, value-1 … of one key. */
export const records = (count: number, key = 'key'): OutRecord[] =>
  Array.from({ length: count }, (_, index) => record(key, `value-${index}`))

/** For assert.rejects: the code decides, never the message. */
export const failsWith =
  (code: FailureCode) =>
  (error: unknown): boolean =>
    error instanceof Failure && error.code === code

/** Everything from an offset to the end that the log has now. */
export const readAll = async (
  log: EventLog,
  { topic, partition, from = 0 }: { topic: string; partition: number; from?: number }
): Promise<RecordRun[]> => {
  const runs: RecordRun[] = []
  const state = (await log.partitions(topic)).find((one) => one.partition === partition)
  for (let offset = from; offset < (state?.end ?? 0); offset = runs.at(-1)!.next) {
    runs.push(await log.read(topic, partition, offset, PATIENT))
  }
  return runs
}

/** Values of one writer, `name.0`, `name.1` …, have to be in order, without holes or repeats. */
export const assertInOrder = (values: readonly (string | null)[], name: string): void => {
  const own = values.filter((value) => value?.startsWith(`${name}.`))
  assert.deepEqual(
    own,
    own.map((_, index) => `${name}.${index}`)
  )
}
