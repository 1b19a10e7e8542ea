import protobuf from 'protobufjs/minimal.js'

type Writer = protobuf.Writer

const NS_PER_MS = 1_000_000n

const TEXT = 2
const VARINT = 0
const FIXED64 = 1
const tag = (field: number, wireType: number): number => field * 8 + wireType

/** An attribute as an element of a repeated field. */
const attribute = (writer: Writer, field: number, key: string, value: string | number): void => {
  writer.uint32(tag(field, TEXT)).fork()
  writer.uint32(tag(1, TEXT)).string(key)
  writer.uint32(tag(2, TEXT)).fork()
  if (typeof value === 'string') writer.uint32(tag(1, TEXT)).string(value)
  else writer.uint32(tag(3, VARINT)).int64(value)
  writer.ldelim().ldelim()
}

/** A span with the attributes of a GenAI instrumentation and a kilobyte of content. */
const span = (writer: Writer, serial: number, nowMs: number, chance: () => number): void => {
  const input = 200 + Math.floor(chance() * 30_000)
  const traceId = Buffer.alloc(16)
  traceId.writeUInt32BE(1)
  traceId.writeUInt32BE(serial, 12)
  const spanId = Buffer.alloc(8)
  spanId.writeUInt32BE(1)
  spanId.writeUInt32BE(serial, 4)
  const startNs = BigInt(nowMs) * NS_PER_MS
  writer.uint32(tag(2, TEXT)).fork()
  writer.uint32(tag(1, TEXT)).bytes(traceId)
  writer.uint32(tag(2, TEXT)).bytes(spanId)
  writer.uint32(tag(5, TEXT)).string('chat gpt-5.6-sol')
  writer.uint32(tag(6, VARINT)).uint32(3)
  writer.uint32(tag(7, FIXED64)).fixed64(startNs.toString())
  writer.uint32(tag(8, FIXED64)).fixed64((startNs + 900n * NS_PER_MS).toString())
  const attributes: [string, string | number][] = [
    ['gen_ai.operation.name', 'chat'],
    ['gen_ai.provider.name', 'openai'],
    ['gen_ai.request.model', 'gpt-5.6-sol'],
    ['gen_ai.response.model', 'gpt-5.6-sol-2026-09-01'],
    ['gen_ai.response.id', `chatcmpl-${serial}`],
    ['gen_ai.usage.input_tokens', input],
    ['gen_ai.usage.output_tokens', 10 + Math.floor(chance() * 900)],
    ['gen_ai.usage.cache_read.input_tokens', Math.floor(input * chance())],
    ['gen_ai.conversation.id', `conversation-${serial % 500}`],
    ['gen_ai.response.finish_reasons', 'stop'],
    ['server.address', 'api.openai.com'],
    ['server.port', 443],
    ['gen_ai.input.messages', CONTENT],
    ['tally.tenant', `tenant-${serial % 40}`],
    ['user.id', `user-${serial % 5000}`]
  ]
  for (const [key, value] of attributes) attribute(writer, 9, key, value)
  writer.ldelim()
}

const CONTENT = JSON.stringify([
  { role: 'user', content: 'what is on the menu today? '.repeat(40) }
])

/** An ExportTraceServiceRequest of `count` spans. */
export const spanBatch = (
  first: number,
  count: number,
  nowMs: number,
  chance: () => number
): Uint8Array => {
  const writer = protobuf.Writer.create()
  writer.uint32(tag(1, TEXT)).fork()
  writer.uint32(tag(1, TEXT)).fork()
  attribute(writer, 1, 'service.name', 'checkout')
  writer.ldelim()
  writer.uint32(tag(2, TEXT)).fork()
  writer.uint32(tag(1, TEXT)).fork()
  writer.uint32(tag(1, TEXT)).string('opentelemetry.instrumentation.openai')
  writer.uint32(tag(2, TEXT)).string('2.1.0').ldelim()
  for (let serial = first; serial < first + count; serial++) span(writer, serial, nowMs, chance)
  writer.ldelim().ldelim()
  return writer.finish()
}
