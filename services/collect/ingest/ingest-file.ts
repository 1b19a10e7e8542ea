import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { Failure } from '../../../schemas/failure.ts'
import type { EventLog } from '../../stream/log.ts'
import { isBlank, splitLines } from '../lines.ts'
import { Batch } from './batch.ts'
import { CheckpointFile, type Checkpoint } from './checkpoint.ts'
import { noCounts, type IngestCounts } from './counts.ts'
import { LineReader, type StreamLine } from './line-reader.ts'
import { FileIntake, type FileIntakeOptions } from './message-intake.ts'
import { openInput, openStream, type OpenInput } from './open-input.ts'

export type IngestOptions = FileIntakeOptions & {
  /** Path of the file, gzip or not; with `stream` only a name for messages. */
  file: string
  stream?: Readable
  /** Folder of checkpoints; null = start at the beginning and remember nothing. */
  checkpoints: string | null
  /** Told after each append. */
  onProgress?: (counts: IngestCounts) => void
}

/** A line of a log with whole conversations in it; beyond it is no line of a log. */
const LINE_BYTES_MAX = 16 * 1024 * 1024
/** A document is one message and has to fit memory, as over HTTP. */
const DOCUMENT_BYTES_MAX = 64 * 1024 * 1024

/**
 * Takes a file in through the same sources and the same path as HTTP. Lines that can not be read
 * are told and counted and do not stop the rest. A run that is repeated or was cut short goes on
 * where all was durable; ids are repeatable, so that reading twice counts once.
 * @throws Failure E_USAGE, E_BODY_UNREADABLE (damaged file), E_LOG_UNAVAILABLE.
 */
export const ingestFile = async (options: IngestOptions, log: EventLog): Promise<IngestCounts> => {
  const file = options.stream === undefined ? resolve(options.file) : options.file
  const store =
    options.checkpoints === null || options.stream !== undefined
      ? null
      : new CheckpointFile(options.checkpoints, [file, options.source.id, options.tenant ?? ''])
  const known = (await store?.read()) ?? null
  const resumed = known === null ? null : await resume({ ...options, file }, log, store, known)
  return resumed ?? (await startOver({ ...options, file }, log, store))
}

const startOver = async (
  options: IngestOptions,
  log: EventLog,
  store: CheckpointFile | null
): Promise<IngestCounts> => {
  const input = await open(options)
  if (options.source.framing === 'document') {
    return takeDocument(options, await readDocument(input), log, store)
  }
  const reader = new LineReader(input.chunks, LINE_BYTES_MAX)
  return takeLines({ options, input, reader, lines: reader.lines(), store }, log, 0)
}

/** Null when the file no longer begins with what the checkpoint saw. */
const resume = async (
  options: IngestOptions,
  log: EventLog,
  store: CheckpointFile | null,
  known: Checkpoint
): Promise<IngestCounts | null> => {
  const input = await open(options)
  if (options.source.framing === 'document') {
    const document = await readDocument(input)
    if (sha256(document.bytes) !== known.prefixSha256) return null
    return { ...noCounts(), skippedLines: known.line, readBytes: known.byte }
  }
  const reader = new LineReader(input.chunks, LINE_BYTES_MAX)
  const lines = reader.lines()
  let end = 0
  while (end < known.byte) {
    const next = await lines.next()
    if (next.done === true) return null
    end = next.value.end
  }
  if (end !== known.byte || reader.prefixHash() !== known.prefixSha256) {
    await lines.return(undefined)
    return null
  }
  return takeLines({ options, input, reader, lines, store }, log, known.line)
}

const open = ({ file, stream }: IngestOptions): Promise<OpenInput> | OpenInput =>
  stream === undefined ? openInput(file) : openStream(stream, null)

type LineWork = {
  options: IngestOptions
  input: OpenInput
  reader: LineReader
  lines: AsyncIterable<StreamLine>
  store: CheckpointFile | null
}

const takeLines = async (
  work: LineWork,
  log: EventLog,
  skippedLines: number
): Promise<IngestCounts> => {
  const counts = { ...noCounts(), skippedLines }
  const batch = new Batch(log)
  const intake = new FileIntake(work.options, batch, counts)
  let last: StreamLine | null = null
  let upTo: 'start' | 'end' = 'end'
  for await (const line of work.lines) {
    counts.lines++
    const isTaken = await takeLine(line, intake)
    // A last line without its newline may still be being written: a later run reads it again.
    if (!isTaken && !line.isComplete) upTo = 'start'
    else last = line
    if (batch.isFull()) await flush(work, batch, counts, { line, upTo: 'end' })
  }
  await flush(work, batch, counts, last === null ? null : { line: last, upTo })
  await batch.settle()
  return counts
}

/** @returns whether nothing in the line was at fault. */
const takeLine = (
  { bytes, number, start, end }: StreamLine,
  intake: FileIntake
): boolean | Promise<boolean> => {
  const place = { line: number }
  if (bytes !== null) return isBlank(bytes) || intake.take(bytes, place)
  const message = `the line has ${end - start} bytes, more than ${LINE_BYTES_MAX}`
  return intake.refuse(new Failure('E_BODY_TOO_LARGE', message), place)
}

const flush = async (
  { options, input, reader, store }: LineWork,
  batch: Batch,
  counts: IngestCounts,
  position: { line: StreamLine; upTo: 'start' | 'end' } | null
): Promise<void> => {
  const { file, source, tenant, onProgress } = options
  const checkpoint =
    position === null || store === null
      ? null
      : {
          file,
          source: source.id,
          tenant,
          byte: position.line.end,
          line: position.line.number,
          prefixSha256: reader.prefixHash(position.upTo)
        }
  await batch.flush(async (events) => {
    counts.events += events
    counts.readBytes = input.readBytes()
    counts.storedBytes = input.storedBytes
    if (checkpoint !== null) await store?.write(checkpoint)
    onProgress?.(counts)
  })
}

type Document = { bytes: Buffer; storedBytes: number | null }

const readDocument = async (input: OpenInput): Promise<Document> => {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of input.chunks) {
    length += chunk.length
    if (length > DOCUMENT_BYTES_MAX) {
      throw new Failure('E_BODY_TOO_LARGE', `the file has more than ${DOCUMENT_BYTES_MAX} bytes`)
    }
    parts.push(chunk)
  }
  return { bytes: Buffer.concat(parts), storedBytes: input.storedBytes }
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** A file that is one message: taken whole, or known whole from an earlier run. */
const takeDocument = async (
  options: IngestOptions,
  { bytes, storedBytes }: Document,
  log: EventLog,
  store: CheckpointFile | null
): Promise<IngestCounts> => {
  const { file, source, tenant } = options
  const lines = [...splitLines(bytes)].length
  const counts = { ...noCounts(), lines, readBytes: bytes.length, storedBytes }
  const batch = new Batch(log)
  await new FileIntake(options, batch, counts).take(bytes, { line: 1 })
  await batch.flush(async (events) => {
    counts.events += events
    options.onProgress?.(counts)
  })
  await batch.settle()
  const end = { byte: bytes.length, line: lines, prefixSha256: sha256(bytes) }
  if (counts.refused === 0) await store?.write({ file, source: source.id, tenant, ...end })
  return counts
}
