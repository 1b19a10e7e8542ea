import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { EVENT_FIELDS } from '../../../schemas/event-fields.ts'
import { loadSources } from '../sources/load.ts'
import { SIGNAL_NEEDS } from './signal-needs.ts'
import { withSourceTable } from './source-table.ts'

test('the README holds the table of the sources as they are', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  assert.equal(
    readme,
    withSourceTable(readme, await loadSources()),
    'run: node --import tsx services/collect/readme/main.ts'
  )
})

test('signals need fields that exist', () => {
  const known = new Set(EVENT_FIELDS.map(({ path }) => path.split('.')[0]))
  for (const [signal, { needs, gains }] of Object.entries(SIGNAL_NEEDS)) {
    for (const field of [...needs, ...gains]) assert.ok(known.has(field), `${signal}: ${field}`)
  }
})
