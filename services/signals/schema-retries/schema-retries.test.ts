import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { createColumns, type GrainRow } from '../../../infra/worlds/grain-rows.ts'
import type { Draft } from '../define.ts'
import { isCycling } from './loops.ts'
import signal from './signal.ts'

const BFCL = new URL('../../../../shared/data/function-calling/bfcl_calls.csv.gz', import.meta.url)
const skip = existsSync(BFCL) ? false : 'no ../shared/data beside the checkout'
const MINUTE_MS = 60_000
/** The two runs of the data, and when they are played: the later one first. */
const RUN_MS: Record<string, number> = {
  '2024-08-11': Date.parse('2024-07-25T09:00:00Z'),
  '2024-07-25': Date.parse('2024-08-11T09:00:00Z')
}
const UNPARSEABLE = /^ast_decoder|^executable_decoder|wrong_output_format/

/** Judged calls of some models, one after the other as they were made. */
const readCalls = (models: readonly string[]): GrainRow[] => {
  const lines = gunzipSync(readFileSync(BFCL)).toString('utf8').trim().split('\n').slice(1)
  const clocks = new Map<string, number>()
  return lines.flatMap((line, index) => {
    const [run, model, schema, , , , latency, outcome] = line.split(',')
    if (!models.includes(model!) || schema === 'relevance' || !outcome) return []
    const key = `${run} ${model}`
    const time_ms = (clocks.get(key) ?? RUN_MS[run!]!) + Math.max(200, 1000 * Number(latency))
    clocks.set(key, time_ms)
    const valid = UNPARSEABLE.test(outcome) ? 0 : 1
    return [{ tenant: 'bfcl', model: model!, schema: schema!, valid, time_ms, id: String(index) }]
  })
}

const foldRows = (rows: readonly GrainRow[], cuts = 0): Draft[] => {
  const columns = createColumns(signal.inputs.traces!)
  const byMinute = new Map<number, GrainRow[]>()
  for (const row of rows) {
    const minute = Math.floor(Number(row['time_ms']) / MINUTE_MS) * MINUTE_MS
    const own = byMinute.get(minute) ?? []
    own.push({ ...row, at_ms: Number(row['time_ms']) - minute })
    byMinute.set(minute, own)
  }
  let fold = signal.open()
  const minutes = [...byMinute].sort(([a], [b]) => a - b)
  return minutes.flatMap(([startMs, own], index) => {
    if (cuts > 0 && index % cuts === 0) fold = signal.open({}, fold.save())
    return fold.fold({ startMs, grains: { traces: columns(own) } })
  })
}

test(
  'between two runs of BFCL the model that fell is told, and those that did not are not',
  { skip },
  () => {
    const stable = ['gpt-4o-2024-05-13-FC', 'claude-3-haiku-20240307', 'snowflake_arctic']
    const drafts = foldRows(readCalls(['mistral-small-2402', ...stable]))
    assert.ok(drafts.length > 0)
    for (const { scope, started_at } of drafts) {
      assert.equal(scope['model'], 'mistral-small-2402')
      assert.ok(started_at.startsWith('2024-08-11'))
    }
  }
)

test(
  'a tenant that is seldom seen is told of few failures, by what is left of its budget, over restarts',
  { skip },
  () => {
    // 1 of 1,460, then 24 of 1,460: told only by what 17 days without traffic have saved.
    const rows = readCalls(['claude-3-sonnet-20240229-FC'])
    const through = foldRows(rows)
    assert.deepEqual(
      through.map(({ scope }) => scope['schema']),
      ['simple']
    )
    assert.deepEqual(foldRows(rows, 3), through)
  }
)

test('a restart in the middle of a fall neither repeats nor loses anything', { skip }, () => {
  const rows = readCalls(['mistral-small-2402'])
  const through = foldRows(rows)
  assert.ok(through.length > 0)
  assert.deepEqual(foldRows(rows, 3), through)
})

test('a repair loop cycles when the error of two attempts ago is back', () => {
  assert.equal(isCycling(['type', 'missing', 'type']), true)
  assert.equal(isCycling(['type', 'type', 'type']), false)
  assert.equal(isCycling(['type', 'missing', 'enum']), false)
})
