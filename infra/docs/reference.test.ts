import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { referencePages } from './reference.ts'

test('the pages of the reference say what the product goes by', async () => {
  const pages = await referencePages()
  assert.ok(pages.length >= 4)
  for (const { name, text } of pages) {
    const written = await readFile(new URL(`../../docs/reference/${name}`, import.meta.url), 'utf8')
    assert.equal(written, text, `docs/reference/${name}: run node --import tsx infra/docs/main.ts`)
    assert.ok(text.split('\n').length > 20, name)
  }
})
