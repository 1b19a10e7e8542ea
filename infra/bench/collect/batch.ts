import { nativeEvent, seeded } from './native-batch.ts'
import { spanBatch } from './span-batch.ts'

/**
 * Requests made before the clock starts, so that sending costs next to nothing: before each sending
 * the serial numbers of its events are written over those of the last. A serial is unique in a run,
 * and is what the log is searched for afterwards.
 */
export type Kind = 'native' | 'spans'

/** Batches as the issue asks for, and as OpenTelemetry's batch processor sends them. */
export const BATCH: Readonly<Record<Kind, number>> = { native: 100, spans: 512 }
/** Events of which a serial has room: ten digits, and 32 bits. */
export const SERIAL_DIGITS = 10
/** Serials of templates: no run sends so many, so that nothing else in a body looks like them. */
const TEMPLATE_SERIAL = 3_900_000_000

/** A whole HTTP request with the places of its serials. */
export type Batch = {
  kind: Kind
  size: number
  bytes: Buffer
  /** Gives the events the serials from `first` on. */
  number: (first: number) => void
}

type Place = { at: number; index: number; isText: boolean }

const DOORS: Readonly<Record<Kind, [string, string]>> = {
  native: ['/v1/events', 'application/json'],
  spans: ['/v1/traces', 'application/x-protobuf']
}

const bodyOf = (kind: Kind, chance: () => number): Buffer => {
  const size = BATCH[kind]
  if (kind === 'spans') return Buffer.from(spanBatch(TEMPLATE_SERIAL, size, Date.now(), chance))
  const events = Array.from({ length: size }, (_, index) =>
    nativeEvent(TEMPLATE_SERIAL + index, chance, Date.now())
  )
  return Buffer.from(JSON.stringify(events))
}

const request = (kind: Kind, body: Buffer): Buffer => {
  const [path, mediaType] = DOORS[kind]
  const head = [
    `POST ${path} HTTP/1.1`,
    'host: collector',
    `content-type: ${mediaType}`,
    `content-length: ${body.length}`
  ]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body])
}

const placesOf = (bytes: Buffer, size: number): Place[] => {
  const places: Place[] = []
  const find = (marker: Buffer, index: number, isText: boolean): void => {
    for (let at = bytes.indexOf(marker); at !== -1; at = bytes.indexOf(marker, at + 1)) {
      places.push({ at, index, isText })
    }
  }
  for (let index = 0; index < size; index++) {
    find(Buffer.from(String(TEMPLATE_SERIAL + index)), index, true)
    const word = Buffer.alloc(4)
    word.writeUInt32BE(TEMPLATE_SERIAL + index)
    find(word, index, false)
  }
  return places
}

/** Different bodies: enough that no cache knows them all, few enough to be made in seconds. */
const DISTINCT = 64

/** `count` batches with bytes of their own, the same in every run. */
export const createBatches = (kind: Kind, count: number, seed: number): Batch[] => {
  const chance = seeded(seed)
  const templates = Array.from({ length: Math.min(count, DISTINCT) }, (): Template => {
    const bytes = request(kind, bodyOf(kind, chance))
    return { bytes, places: placesOf(bytes, BATCH[kind]) }
  })
  return Array.from({ length: count }, (_, index) =>
    createBatch(kind, templates[index % DISTINCT] as Template)
  )
}

type Template = { bytes: Buffer; places: readonly Place[] }

const createBatch = (kind: Kind, { bytes: template, places }: Template): Batch => {
  const bytes = Buffer.from(template)
  const number = (first: number): void => {
    for (const { at, index, isText } of places) {
      if (isText) bytes.write(String(first + index).padStart(SERIAL_DIGITS, '0'), at, 'latin1')
      else bytes.writeUInt32BE(first + index, at)
    }
  }
  return { kind, size: BATCH[kind], bytes, number }
}
