import { EVENT_FIELDS } from '../../../../schemas/event-fields.ts'
import { jsonItems, NDJSON_TYPES } from '../json-items.ts'
import { defineSource } from '../source.ts'

/** Events in the product's own form. */
export default defineSource({
  title: 'Native events',
  about:
    'Usage events as the schema has them: one JSON object, an array of them, or one a line ' +
    '(NDJSON). POST them to /v1/events.',
  doors: [{ path: '/v1/events', mediaTypes: ['application/json', ...NDJSON_TYPES] }],
  handling: 'strict',
  framing: 'lines',
  tells: EVENT_FIELDS.map((field) => field.path),
  read: (message) => {
    const { items, faults } = jsonItems(message)
    return {
      items: items.map(({ index, at, value }) => ({ index, at, event: value })),
      faults,
      ignored: 0
    }
  }
})
