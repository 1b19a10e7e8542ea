import { EVENT_FIELDS } from '../../../../schemas/event-fields.ts'
import { Failure } from '../../../../schemas/failure.ts'
import { faultAt, type Fault } from '../../fault.ts'
import { parseJson } from '../../json-text.ts'
import { splitLines } from '../../lines.ts'
import { defineSource, type Item, type Message, type Reading } from '../source.ts'

const NDJSON = new Set(['application/x-ndjson', 'application/ndjson', 'application/jsonl'])

const readDocument = ({ bytes }: Message): Reading => {
  const value = parseJson(bytes)
  const events: unknown[] = Array.isArray(value) ? value : [value]
  const items = events.map((event, index) => ({ index, at: `[${index}]`, event }))
  return { items, faults: [], ignored: 0 }
}

const readLines = ({ bytes }: Message): Reading => {
  const items: Item[] = []
  const faults: Fault[] = []
  let index = 0
  for (const line of splitLines(bytes)) {
    const place = { index: index++, at: `line ${line.number}` }
    try {
      items.push({ ...place, event: parseJson(line.bytes) })
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      faults.push(faultAt(place, { code: error.code, message: error.message }))
    }
  }
  return { items, faults, ignored: 0 }
}

/** Events in the product's own form. */
export default defineSource({
  title: 'Native events',
  about:
    'Usage events as the schema has them: one JSON object, an array of them, or one a line ' +
    '(NDJSON). POST them to /v1/events.',
  doors: [{ path: '/v1/events', mediaTypes: ['application/json', ...NDJSON] }],
  handling: 'strict',
  framing: 'lines',
  tells: EVENT_FIELDS.map((field) => field.path),
  read: (message) =>
    message.mediaType !== null && NDJSON.has(message.mediaType)
      ? readLines(message)
      : readDocument(message)
})
