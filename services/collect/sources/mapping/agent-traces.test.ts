import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { UsageEvent } from '../../../../schemas/event.ts'
import { takeIn } from '../../intake.ts'
import { configureSource } from '../configure.ts'
import { loadSource } from '../load.ts'

const FILE = new URL(
  '../../../../../shared/data/claude-code-sessions/requests.jsonl.gz',
  import.meta.url
)
const skip = existsSync(FILE) ? false : 'no data folder beside the repository'
/** Enough sessions to hold every kind of line, in half a second. */
const LINES = 4000

test(
  'sessions of agents recorded by others are read by a mapping of twelve lines',
  { skip },
  async () => {
    const map = fileURLToPath(new URL('fixtures/agent-traces.yaml', import.meta.url))
    const source = await configureSource(await loadSource('mapping'), { map })
    const lines = gunzipSync(readFileSync(FILE)).toString().split('\n').slice(0, LINES)
    const bytes = Buffer.from(lines.join('\n'))
    const mediaType = 'application/x-ndjson'
    const message = { bytes, mediaType, door: null, headers: {}, tenant: 'acme' }
    const { items, faults } = source.read(message)
    assert.deepEqual(faults, [])
    assert.equal(items.length, LINES)
    const rows = lines.map(
      (line) => JSON.parse(line) as { in: number; out: number; api_time: number | null }
    )
    const events = items.map(({ event }) => event as UsageEvent)
    for (const [index, { tokens, duration_ms: duration }] of events.entries()) {
      const row = rows[index]
      assert.deepEqual([tokens?.in_total, tokens?.out_total], [row?.in, row?.out])
      const seconds = row?.api_time ?? null
      assert.equal(duration, seconds === null ? undefined : Math.round(seconds * 1000))
    }
    const rules = { nowMs: Date.parse('2026-11-24T00:00:00Z'), tenantOnly: null, itemsMax: LINES }
    const { records } = takeIn(source, message, rules)
    assert.equal(records.length, LINES)
  }
)
