import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pino from 'pino'
import { landAll, settleAll } from '../../services/cli/pipeline.ts'
import { openLakeSite, type LakeSite } from '../../services/cli/site.ts'
import { startCollector } from '../../services/collect/start.ts'
import { scratchFolder } from '../../services/lake/scratch-lake.ts'
import { attach } from '../../services/lake/snapshot.ts'
import { EmbeddedLog } from '../../services/stream/embedded/log.ts'
import { ANSWER_TOKENS } from './answers.ts'
import { startFakeProvider } from './fake-provider.ts'

const PYTHON = fileURLToPath(new URL('../../.venv/bin/python', import.meta.url))
const SCRIPT = fileURLToPath(new URL('call_models.py', import.meta.url))
const skip = existsSync(PYTHON) ? false : 'needs .venv: run infra/python/setup.sh'
const HOURS_MS = 3 * 3_600_000

const ends: (() => unknown)[] = []
after(async () => {
  for (const end of ends.toReversed()) await end()
})

/** Everything that happened: emitters of Python, collector, log, lake, settled hours. */
const settledSite = async (): Promise<LakeSite> => {
  const data = await scratchFolder({ after: (end) => void ends.push(end as () => unknown) })
  const log = new EmbeddedLog(path.join(data, 'log'))
  ends.push(() => log.close())
  const fake = await startFakeProvider()
  const options = { host: '127.0.0.1', port: 0, keyFile: null, now: () => new Date() }
  const collector = await startCollector({ ...options, log })
  try {
    await promisify(execFile)(PYTHON, [SCRIPT, fake.url, collector.url])
  } finally {
    await Promise.all([collector.close(), fake.close()])
  }
  const site = await openLakeSite({ data }, true)
  ends.push(() => site.close())
  await landAll({ data }, log, { logger: pino({ level: 'silent' }), nowMs: Date.now })
  await settleAll(site, log, { nowMs: Date.now() + HOURS_MS })
  await attach(site, await site.lake.head())
  return site
}

describe('LiteLLM, OpenLLMetry and OpenInference beside one another', { skip }, () => {
  let site: LakeSite
  before(async () => {
    site = await settledSite()
  })
  const rows = async (sql: string): Promise<unknown[][]> =>
    (await site.engine.table(sql)).rows.map((row) => Object.values(row))

  test('every call is one row with the tokens of the provider, failed ones too', async () => {
    const { input, cached, output } = ANSWER_TOKENS
    const counts = [input, cached, output]
    assert.deepEqual(
      await rows(`SELECT request_model, tenant, status, witnesses, in_total, in_cache_read, out_total
        FROM events ORDER BY ALL`),
      [
        ['gpt-4.1', 'acme', null, 2, ...counts],
        ['gpt-4o', 'acme', null, null, ...counts],
        ['gpt-4o', 'acme', null, null, ...counts],
        ['gpt-4o-mini', 'acme', null, 4, ...counts],
        ['overloaded', 'acme', 429, null, null, null, null]
      ]
    )
  })

  test('a call through a gateway is known by all who saw it', async () => {
    assert.deepEqual(
      await rows(`SELECT split_part(emitter, '@', 1) AS who, response_id = lead(response_id, 1, response_id) OVER () AS same
        FROM witnesses WHERE request_model = 'gpt-4o-mini' ORDER BY ALL`),
      [
        ['litellm', true],
        ['openinference.instrumentation.openai', true],
        ['openinference.instrumentation.openai', true],
        ['opentelemetry.instrumentation.openai.v1', true]
      ]
    )
    const [[team, spans] = []] = await rows(`SELECT team, trace_id IS NOT NULL
      FROM events WHERE request_model = 'gpt-4o-mini'`)
    assert.deepEqual([team, spans], ['search', true], 'what only one of them knows is kept')
  })

  test('they agree on what it cost', async () => {
    const fields = ['in_total', 'out_total', 'in_cache_read', 'response_model']
    const list = fields.map((field) => `'${field}'`).join(', ')
    assert.deepEqual(await rows(`FROM disagreements WHERE field IN (${list})`), [])
  })
})
