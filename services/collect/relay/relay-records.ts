import { Failure } from '../../../schemas/failure.ts'
import { encodeRefused } from '../../../schemas/refused.ts'
import { NULL_VALUE, type OutRecord, type RecordRun } from '../../stream/log.ts'
import type { EventRules } from '../check-event.ts'
import type { Fault } from '../fault.ts'
import { mediaTypeOf } from '../http/doors.ts'
import { takeIn } from '../intake.ts'
import type { LoadedSource } from '../sources/load.ts'
import type { Message } from '../sources/source.ts'

/** What a topic of others is: its name, its dialect, and who pays where a record does not say. */
export type RelayTopic = { topic: string; source: LoadedSource; tenant: string | null }

/** What became of records, added up. */
export type RelayCounts = { records: number; events: number; refused: number; ignored: number }

export const noRelayCounts = (): RelayCounts => ({ records: 0, events: 0, refused: 0, ignored: 0 })

/** Names the tenant of a record, as it does of a request. */
const TENANT_HEADER = 'x-tally-tenant'
const MEDIA_TYPE_HEADER = 'content-type'

/**
 * Records for our log from a run of another topic's: events through the one intake, and what
 * could not be read as refused records, which become rows of quarantine with their bytes.
 * @throws Failure that is retriable, when what reading needs can not be had now.
 */
export const relayRecords = async (
  run: RecordRun,
  topic: RelayTopic,
  nowMs: number
): Promise<Relayed> => {
  const out: Relayed = { records: [], counts: noRelayCounts() }
  const rules = { nowMs, tenantOnly: null, itemsMax: Number.POSITIVE_INFINITY }
  for (let index = 0; index < run.count; index++) {
    out.counts.records++
    if (run.valueEnd[index] === NULL_VALUE) out.counts.ignored++
    else {
      const place = `${topic.topic}/${run.partition}/${run.offsets[index]}`
      await relayMessage(messageOf(run, index, topic), place, { source: topic.source, rules, out })
    }
  }
  for (const { first, next, code, reason, bytes } of run.faults) {
    const place = `${topic.topic}/${run.partition} offsets ${first} to ${next - 1}`
    out.counts.refused++
    out.records.push(refusedRecord(place, { code, reason, bytes }))
  }
  return out
}

type Relayed = { records: OutRecord[]; counts: RelayCounts }
type Work = { source: LoadedSource; rules: EventRules; out: Relayed }

const relayMessage = async (
  message: Message,
  place: string,
  { source, rules, out: { records, counts } }: Work
): Promise<void> => {
  try {
    await source.prepare?.(message)
    const intake = takeIn(source, message, rules)
    records.push(...intake.records)
    counts.events += intake.records.length
    counts.ignored += intake.ignored
    if (intake.faults.length === 0) return
    counts.refused += new Set(intake.faults.map((fault) => fault.index)).size
    records.push(refusedRecord(place, { ...faultsOf(intake.faults), bytes: message.bytes }))
  } catch (error) {
    if (!(error instanceof Failure) || error.retriable) throw error
    counts.refused++
    const { code, message: reason } = error
    records.push(refusedRecord(place, { code, reason, bytes: message.bytes }))
  }
}

const messageOf = (run: RecordRun, index: number, { source, tenant }: RelayTopic): Message => {
  const names = [...(source.headers ?? []), TENANT_HEADER, MEDIA_TYPE_HEADER]
  const headers: Record<string, string> = {}
  for (const name of names) {
    const value = run.header(index, name)
    if (value !== null) headers[name] = value
  }
  return {
    bytes: run.bytes.subarray(run.valueStart[index], run.valueEnd[index]),
    mediaType: mediaTypeOf(headers[MEDIA_TYPE_HEADER]),
    door: null,
    headers,
    tenant: headers[TENANT_HEADER] ?? tenant
  }
}

/** Faults told in a reason; beyond them the number says enough. */
const FAULTS_TOLD_MAX = 5

const faultsOf = (faults: readonly Fault[]): { code: Fault['code']; reason: string } => {
  const told = faults.slice(0, FAULTS_TOLD_MAX).map(({ at, message }) => `${at} ${message}`)
  const more = faults.length - told.length
  const reason = `${told.join('; ')}${more > 0 ? `; and ${more} more` : ''}`
  return { code: faults[0]?.code ?? 'E_EVENT_INVALID', reason }
}

type Refusal = { code: Fault['code']; reason: string; bytes: Uint8Array }

/** Refused records of one place share a key, so that they keep their order. */
export const refusedRecord = (place: string, { code, reason, bytes }: Refusal): OutRecord => ({
  key: place,
  value: encodeRefused({ code, reason: `${place}: ${reason}`, bytes })
})
