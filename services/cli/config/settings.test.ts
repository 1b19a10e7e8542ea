import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { scratchFolder } from '../../lake/scratch-lake.ts'
import { resolveSettings, settingsSchema } from './settings.ts'

test('a flag comes before the environment, that before the file, that before the default', async (t) => {
  const file = path.join(await scratchFolder(t), 'tally.yaml')
  await writeFile(file, 'data: from-file\nport: 1\nhost: 10.0.0.1\nbudgets_usd: { acme: "12.5" }\n')
  const given = { flags: { data: 'from-flag' }, env: { TALLY_DATA: 'x', TALLY_PORT: '2' }, file }
  const { settings, origins } = await resolveSettings(given)
  assert.deepEqual(
    [settings.data, settings.port, settings.host, settings.log_level, settings.budgets_usd],
    ['from-flag', 2, '10.0.0.1', 'info', { acme: '12.5' }]
  )
  assert.deepEqual(
    [origins.data, origins.port, origins.host, origins.log_level, origins.budgets_usd],
    ['flag', 'environment', 'file', 'default', 'file']
  )
})

test('a wrong setting is refused with the place that it comes from', async (t) => {
  const file = path.join(await scratchFolder(t), 'tally.yaml')
  const refused = async (
    text: string,
    env: Record<string, string>,
    place: RegExp
  ): Promise<void> => {
    await writeFile(file, text)
    await assert.rejects(
      resolveSettings({ flags: {}, env, file }),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'E_USAGE')
        assert.match(error.message, place)
        return true
      }
    )
  }
  await refused('port: 70000', {}, /tally\.yaml: port/)
  await refused('prot: 1', {}, /tally\.yaml: .*prot/s)
  await refused('', { TALLY_PORT: 'x' }, /TALLY_PORT/)
  await refused('budgets_usd: { acme: 12.5 }', {}, /budgets_usd/)
  await refused('close_day: 29', {}, /close_day/)
  await refused('', { TALLY_CLOSE_DAY: '0' }, /TALLY_CLOSE_DAY/)
  await refused('close: now', {}, /close/)
  await refused('port: [', {}, /tally\.yaml/)
  await assert.rejects(
    resolveSettings({ flags: { log_level: 'loud' }, env: {}, file: null }),
    /--log-level/
  )
})

test('the schema of the file names every setting with a description', () => {
  const { properties } = settingsSchema() as {
    properties: Record<string, { description?: string }>
  }
  for (const [name, { description }] of Object.entries(properties)) assert.ok(description, name)
  assert.ok(Object.keys(properties).length >= 10)
})
