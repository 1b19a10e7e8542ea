import { EVENT_FIELDS } from '../../../../schemas/event-fields.ts'
import { Failure } from '../../../../schemas/failure.ts'
import { faultAt } from '../../fault.ts'
import { isJsonObject } from '../../json-value.ts'
import { loadMap } from '../../mapping/load-map.ts'
import type { FieldMap } from '../../mapping/map-file.ts'
import { readMapped } from '../../mapping/read-mapped.ts'
import { defineSource, type Message, type Reading, type SourceOptions } from '../source.ts'
import { createDecoder, type Decoder } from './decoder.ts'
import { nativeEvent } from './native-event.ts'
import { openRegistry, type SchemaRegistry } from './registry.ts'

/** A magic byte 0, and the id of the schema as four bytes. */
const PREFIX_BYTES = 5

/** @throws Failure E_BODY_UNREADABLE when the message is not in Confluent's wire format. */
const schemaId = (bytes: Uint8Array): number => {
  if (bytes.length < PREFIX_BYTES || bytes[0] !== 0) {
    throw new Failure('E_BODY_UNREADABLE', 'not in Confluent wire format: it begins without 00', {
      hint: 'The value must be 00, four bytes of schema id, and Avro.'
    })
  }
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(1)
}

/** Decoders by id: an id never changes its schema, so each is fetched once. */
class Decoders {
  readonly #registry: SchemaRegistry
  readonly #known = new Map<number, Decoder>()

  constructor(registry: SchemaRegistry) {
    this.#registry = registry
  }

  async fetch(id: number): Promise<void> {
    if (!this.#known.has(id)) this.#known.set(id, createDecoder(await this.#registry.schema(id)))
  }

  decode(bytes: Uint8Array): unknown {
    const id = schemaId(bytes)
    const decoder = this.#known.get(id)
    if (decoder !== undefined) return decoder(bytes.subarray(PREFIX_BYTES))
    throw new Failure('E_SCHEMA_UNKNOWN', `the schema ${id} was not fetched`)
  }
}

const readNative = (value: unknown): Reading => {
  const place = { index: 0, at: '[0]' }
  if (isJsonObject(value)) {
    return { items: [{ ...place, event: nativeEvent(value) }], faults: [], ignored: 0 }
  }
  const fault = faultAt(place, { code: 'E_EVENT_INVALID', message: 'the schema is no record' })
  return { items: [], faults: [fault], ignored: 0 }
}

const readWith =
  (decoders: Decoders, map: FieldMap | null) =>
  ({ bytes }: Message): Reading => {
    const value = decoders.decode(bytes)
    if (map === null) return readNative(value)
    return readMapped({ items: [{ index: 0, at: '[0]', value }], faults: [] }, map)
  }

const configure = async (options: SourceOptions): Promise<typeof confluent> => {
  const { registry = '', registry_auth_file: authFile, map: mapFile } = options
  const decoders = new Decoders(openRegistry(registry, authFile ?? null))
  const map = mapFile === undefined ? null : await loadMap(mapFile)
  return {
    ...confluent,
    prepare: async ({ bytes }) => decoders.fetch(schemaId(bytes)),
    read: readWith(decoders, map)
  }
}

const confluent = defineSource({
  title: 'Avro of a schema registry',
  about:
    'Avro in the Confluent wire format, its schema found by id in a registry (option registry: ' +
    'its URL, or a folder of `<id>.avsc`). Records have the names of native fields or columns, or ' +
    'are read by a mapping (option map). An unknown id goes to quarantine.',
  doors: [],
  handling: 'strict',
  framing: 'document',
  tells: EVENT_FIELDS.map(({ path }) => path),
  options: {
    registry: { about: 'URL of a schema registry, or a folder of <id>.avsc', required: true },
    registry_auth_file: { about: 'file that holds user:password of the registry' },
    map: { about: 'YAML file that maps paths of the record to native fields' }
  },
  configure,
  read: () => {
    throw new Failure('E_USAGE', 'the dialect avro needs the option registry')
  }
})

export default confluent
