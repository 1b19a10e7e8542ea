import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
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

test('every signal on disk says what it needs', async () => {
  const folder = new URL('../../signals/', import.meta.url)
  const entries = await readdir(folder, { withFileTypes: true })
  const signals = entries.filter((entry) => existsSync(new URL(`${entry.name}/signal.ts`, folder)))
  assert.deepEqual(signals.map(({ name }) => name).sort(), Object.keys(SIGNAL_NEEDS).sort())
})

test('signals need fields that exist', () => {
  const known = new Set(EVENT_FIELDS.map(({ path }) => path.split('.')[0]))
  for (const [signal, { needs, gains }] of Object.entries(SIGNAL_NEEDS)) {
    for (const field of [...needs, ...gains]) assert.ok(known.has(field), `${signal}: ${field}`)
  }
})
