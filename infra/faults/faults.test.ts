import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { FAULTS } from './faults.ts'
import { faultsPage } from './page.ts'
import { readSightings } from './seen/sighting.ts'

const root = new URL('../../', import.meta.url)

test('each fault that is said to be shown names a test that is there', async () => {
  for (const { number, shown } of FAULTS) {
    for (const { file, title } of shown) {
      const text = await readFile(new URL(file, root), 'utf8')
      assert.ok(text.includes(title), `fault ${number}: ${file} has no test "${title}"`)
    }
  }
  assert.deepEqual(
    FAULTS.map(({ number }) => number),
    Array.from({ length: 37 }, (_, index) => index + 1)
  )
})

test('the page of faults says what the table says and what was seen', async () => {
  assert.equal(
    await readFile(new URL('infra/FAULTS.md', root), 'utf8'),
    faultsPage(await readSightings())
  )
})
