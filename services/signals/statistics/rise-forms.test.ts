import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { loadSignals } from '../load.ts'
import { unpack } from './checkpoint.ts'
import { R, RF, RISE_SHAPE } from './rise-record.ts'
import { sharesPart } from './state-parts.ts'

/** A layout of the record, and the form and versions of the states that hold such records. */
const LAYOUT = '9f9fa6afbb366834'
const SHARES_FORM = 4
const VERSIONS = { 'blind-alerts': 4, 'diurnal-drift': 4, 'refusal-latency': 6 }

// A state that is read as what it is not stops detection, or makes up findings: whoever changes the
// layout raises all four.
test('the layout of the record of a share is that of the form of states that hold it', async () => {
  const text = JSON.stringify([R, RF, RISE_SHAPE])
  assert.equal(createHash('sha256').update(text).digest('hex').slice(0, LAYOUT.length), LAYOUT)
  assert.equal(sharesPart.form, SHARES_FORM)
  const versions = (await loadSignals())
    .filter(({ id }) => id in VERSIONS)
    .map((signal) => {
      const { header } = unpack(signal.open().save()) as { header: { version: number } }
      return [signal.id, header.version]
    })
  assert.deepEqual(Object.fromEntries(versions), VERSIONS)
})
