import protobuf from 'protobufjs/minimal.js'
import type { Answer, Outcome } from '../source.ts'

/**
 * Answers as the OTLP specification has them (`docs/specification.md`, "OTLP/HTTP Response"): the
 * encoding of the request, 200 with a partial success when some items were refused, 400 with a
 * Status when all of them were.
 */

export const PROTOBUF = 'application/x-protobuf'
export const JSON_TYPE = 'application/json'

/** `google.rpc.Code.INVALID_ARGUMENT`. */
const INVALID_ARGUMENT = 3

/** @param rejectedKey the JSON name of the counter: `rejectedSpans` or `rejectedLogRecords`. */
export const exportAnswer = (outcome: Outcome, mediaType: string, rejectedKey: string): Answer => {
  const rejected = new Set(outcome.faults.map(({ index }) => index)).size
  const message = faultsText(outcome)
  if (rejected > 0 && outcome.accepted + outcome.ignored === 0) {
    return statusAnswer(400, message, mediaType)
  }
  if (mediaType !== PROTOBUF) {
    const partialSuccess = { [rejectedKey]: String(rejected), errorMessage: message }
    const body = JSON.stringify(rejected === 0 ? {} : { partialSuccess })
    return { status: 200, mediaType: JSON_TYPE, body }
  }
  const writer = protobuf.Writer.create()
  if (rejected > 0) {
    writer.uint32(10).fork().uint32(8).int64(rejected).uint32(18).string(message).ldelim()
  }
  return { status: 200, mediaType: PROTOBUF, body: writer.finish() }
}

/** A `google.rpc.Status` in the encoding of the request. */
export const statusAnswer = (status: number, message: string, mediaType: string): Answer => {
  if (mediaType !== PROTOBUF) {
    const body = JSON.stringify({ code: INVALID_ARGUMENT, message })
    return { status, mediaType: JSON_TYPE, body }
  }
  const writer = protobuf.Writer.create()
    .uint32(8)
    .int32(INVALID_ARGUMENT)
    .uint32(18)
    .string(message)
  return { status, mediaType: PROTOBUF, body: writer.finish() }
}

/** Faults told in an answer that people read in a log line. */
const FAULTS_TOLD_MAX = 5

const faultsText = ({ faults }: Outcome): string => {
  const told = faults.slice(0, FAULTS_TOLD_MAX).map((fault) => `${fault.at} ${fault.message}`)
  const more = faults.length - told.length
  return more > 0 ? `${told.join('; ')}; and ${more} more` : told.join('; ')
}
