import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EVENT_FIELDS } from '../../../schemas/event-fields.ts'
import { BLOCKS, OPTIONAL_BLOCKS, PRINCIPAL, SINGLE } from './field-rules.ts'

test('every column of an event has one rule that says which witness is believed', () => {
  const ruled = [
    ...PRINCIPAL,
    ...[...BLOCKS, ...OPTIONAL_BLOCKS].flatMap(({ columns }) => columns),
    ...SINGLE.map(({ column }) => column)
  ]
  assert.deepEqual(ruled.toSorted(), EVENT_FIELDS.map(({ column }) => column).toSorted())
})
