import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { pino } from 'pino'
import { attach } from '../../lake/snapshot.ts'
import { checkClaims } from '../../signals/claims.ts'
import { openLakeSite } from '../site.ts'
import { DEMO_START_MS, runRecording } from './run.ts'

const DAY_MS = 86_400_000

test('the queries of all findings of the demo give the figures that the findings state', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'tally-claims-'))
  t.after(() => rm(folder, { recursive: true }))
  const doors = { logger: pino({ level: 'silent' }), nowMs: () => DEMO_START_MS + DAY_MS }
  const { findings, data } = await runRecording(folder, 'shifted', doors)
  const site = await openLakeSite({ data })
  t.after(() => site.close())
  await attach(site, await site.lake.head())
  const ask = async (sql: string) =>
    (await site.engine.rows(`SELECT COLUMNS(*)::VARCHAR FROM (${sql})`)) as Record<
      string,
      string | null
    >[]
  const checked = new Set<string>()
  for (const finding of findings) {
    if ((await checkClaims(ask, finding)) > 0) checked.add(finding.signal)
  }
  assert.ok(checked.size >= 7, [...checked].join(' '))
})
