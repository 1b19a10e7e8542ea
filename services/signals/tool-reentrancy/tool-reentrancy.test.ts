import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { foldTraces } from '../../../infra/score/tool-reentrancy.ts'
import { createColumns, type GrainRow } from '../../../infra/worlds/grain-rows.ts'
import { LOOPS, playTrace } from '../../../infra/worlds/tool-calls.ts'
import type { Draft, Minute } from '../define.ts'
import { identityOf } from '../statistics/identity.ts'
import signal from './signal.ts'
import { createTraces, traceFor, tracesPart } from './traces.ts'

const START_MS = Date.parse('2026-03-02T09:00:00Z')
const MINUTE_MS = 60_000

for (const shape of LOOPS) {
  test(`an agent that loops is told of within three minutes of its second round: ${shape}`, () => {
    for (let seed = 0; seed < 5; seed++) {
      const trace = playTrace('loop', { seed, startMs: START_MS, shape })
      const drafts = foldTraces([trace])
      assert.ok(drafts.length > 0, `seed ${seed}`)
      const delay = Date.parse(drafts[0]!.detected_at) - trace.loopMs!
      assert.ok(delay > 0 && delay <= 3 * MINUTE_MS, `seed ${seed}: ${delay} ms`)
      assert.equal(drafts[0]!.scope['trace'], 'loop')
      assert.equal(drafts[0]!.scope['loop'], shape === 'itself' ? 'recursion' : 'repeat')
    }
  })
}

test('agents that poll, fan out, delegate and repeat a call now and then are left alone', () => {
  const traces = Array.from({ length: 200 }, (_, i) =>
    playTrace(`healthy${i}`, { seed: 900 + i, startMs: START_MS + i * 7000, shape: null })
  )
  assert.deepEqual(foldTraces(traces), [])
})

test('a tenant whose loops end by themselves is told of the first ones, and then left alone', () => {
  const traces = Array.from({ length: 8 }, (_, i) => {
    const startMs = START_MS + i * 90 * MINUTE_MS
    const rows = ['p', 'p', 'p', 'p', 'q'].map((result, n) => ({
      tenant: 't',
      kind: 'tool',
      name: 'job_status',
      trace: `t${i}`,
      args: 'job',
      result,
      time_ms: startMs + n * 20_000,
      id: `${i}-${n}`
    }))
    return { trace: `t${i}`, startMs, rows, loopMs: null }
  })
  const told = foldTraces(traces).map(({ scope }) => scope['trace'])
  assert.deepEqual(told, ['t0', 't1', 't2'])
})

const minutesOf = (rows: readonly GrainRow[]): Minute[] => {
  const columns = createColumns(signal.inputs.traces!)
  return Array.from({ length: 12 }, (_, minute) => {
    const startMs = START_MS + minute * MINUTE_MS
    const own = rows
      .filter(({ time_ms }) => Math.floor((Number(time_ms) - START_MS) / MINUTE_MS) === minute)
      .map((row) => ({ ...row, at_ms: Number(row['time_ms']) - startMs }))
    return { startMs, grains: { traces: columns(own) } }
  })
}

test('a restart in the middle of a loop neither repeats nor loses anything', () => {
  const minutes = minutesOf(
    playTrace('loop', { seed: 3, startMs: START_MS, shape: 'two calls' }).rows
  )
  const run = (cuts: readonly number[]): Draft[] => {
    let fold = signal.open()
    return minutes.flatMap((minute, index) => {
      if (cuts.includes(index)) fold = signal.open({}, fold.save())
      return fold.fold(minute)
    })
  }
  const through = run([])
  assert.ok(through.length >= 2)
  assert.deepEqual(run([1, 2, 3, 4, 5, 6, 7, 8]), through)
})

test('traces come back from a checkpoint each with its own steps', () => {
  const traces = createTraces(8, MINUTE_MS)
  for (const [tenant, steps] of [
    ['a', 3],
    ['b', 0],
    ['c', 5]
  ] as const) {
    const trace = traceFor(traces, { identity: identityOf(tenant), tenant, ms: START_MS })
    trace.lastMs = START_MS
    for (let n = 1; n <= steps; n++) {
      const own = { id: n, parent: n - 1, args: 0, ms: START_MS + n, endMs: START_MS + 2 * n }
      const kind = n % 2 === 0 ? 'tool' : 'llm'
      trace.spans.push({ ...own, kind, label: `${kind} ${tenant}`, reenters: 1, inferred: 0 })
    }
  }
  const { json, arrays } = tracesPart.save(traces)
  assert.deepEqual(tracesPart.restore(json, arrays, createTraces(8, MINUTE_MS)), traces)
})

const TAU = new URL(
  '../../../../shared/data/agent-trajectories/tau-bench-gpt-4o-airline.jsonl.gz',
  import.meta.url
)
const skip = existsSync(TAU) ? false : 'no ../shared/data beside the checkout'

type Message = {
  role: string
  content?: string
  tool_call_id?: string
  tool_calls?: { id: string; function: { name: string; arguments: string } }[] | null
}

const hash = (text: string): string => createHash('sha1').update(text).digest('hex')

/** The tool calls of a recorded conversation, four seconds apart. */
const callsOf = (messages: readonly Message[], index: number): GrainRow[] => {
  const results = new Map(
    messages.map(({ tool_call_id, content }) => [tool_call_id, content ?? ''])
  )
  const calls = messages.flatMap(({ tool_calls }) => tool_calls ?? [])
  return calls.map((call, n) => ({
    tenant: 'tau',
    kind: 'tool',
    name: call.function.name,
    trace: `c${index}`,
    args: hash(call.function.arguments),
    result: hash(results.get(call.id) ?? ''),
    time_ms: START_MS + index * MINUTE_MS + n * 4000,
    id: `${index}-${String(n).padStart(3, '0')}`
  }))
}

test(
  'of 120 real conversations the one that is stuck is told, and seven with exact repeats are not',
  { skip },
  () => {
    const lines = gunzipSync(readFileSync(TAU)).toString('utf8').trim().split('\n')
    const traces = lines.map((line, index) => {
      const { traj } = JSON.parse(line) as { traj: Message[] }
      return { trace: `c${index}`, startMs: START_MS, rows: callsOf(traj, index), loopMs: null }
    })
    const repeated = traces.filter(({ rows }) => {
      const calls = rows.map(({ name, args }) => `${String(name)} ${String(args)}`)
      return new Set(calls).size < calls.length
    })
    assert.ok(repeated.length >= 5)
    assert.deepEqual(
      foldTraces(traces).map(({ scope }) => [scope['trace'], scope['cycle']]),
      [['c67', 'tool book_reservation']]
    )
  }
)
