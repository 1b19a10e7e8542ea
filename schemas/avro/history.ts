import { readdirSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import type { AvroRecord } from './event-schema.ts'
import { fingerprint, messagePrefix } from './fingerprint.ts'

/**
 * Every schema that usage events were ever written with: `history/usage-event.vN.avsc`. A log
 * keeps records of old versions, and during an upgrade of newer ones, so readers know them all.
 */

export type KnownSchema = {
  version: number
  fingerprint: bigint
  /** The ten bytes that open a message of this schema: C3 01 and the fingerprint. */
  prefix: Buffer
  schema: AvroRecord
}

const FOLDER = new URL('./history/', import.meta.url)
const FILE_NAME = /^usage-event\.v(\d+)\.avsc$/

const avroType: z.ZodType<AvroRecord['fields'][number]['type']> = z.union([
  z.enum(['null', 'string', 'int', 'long', 'double', 'boolean']),
  z.strictObject({ type: z.literal('long'), logicalType: z.literal('timestamp-micros') }),
  z.strictObject({ type: z.literal('array'), items: z.enum(['string', 'double']) }),
  z.tuple([z.literal('null'), z.lazy(() => avroType as z.ZodType<'string'>)])
])

const AvroRecordFile = z.strictObject({
  type: z.literal('record'),
  name: z.string(),
  namespace: z.string().exactOptional(),
  doc: z.string().exactOptional(),
  fields: z.array(
    z.strictObject({
      name: z.string(),
      type: avroType,
      default: z.null().exactOptional(),
      doc: z.string().exactOptional()
    })
  )
})

/** A schema of flat events from its JSON text. */
export const parseSchema = (text: string): AvroRecord => AvroRecordFile.parse(JSON.parse(text))

const knownSchema = (name: string, folder: URL): KnownSchema => {
  const schema = parseSchema(readFileSync(new URL(name, folder), 'utf8'))
  const version = Number(FILE_NAME.exec(name)?.[1])
  return { version, fingerprint: fingerprint(schema), prefix: messagePrefix(schema), schema }
}

/** All versions in a folder, oldest first. */
export const readHistory = (folder: URL = FOLDER): KnownSchema[] =>
  readdirSync(folder)
    .filter((name) => FILE_NAME.test(name))
    .map((name) => knownSchema(name, folder))
    .sort((a, b) => a.version - b.version)

/** All versions that this release can read, oldest first. */
export const KNOWN_SCHEMAS: readonly KnownSchema[] = readHistory()

const byFingerprint = new Map(KNOWN_SCHEMAS.map((known) => [known.fingerprint, known]))

/** The schema with a fingerprint, or undefined when this release does not know it. */
export const findSchema = (wanted: bigint): KnownSchema | undefined => byFingerprint.get(wanted)
