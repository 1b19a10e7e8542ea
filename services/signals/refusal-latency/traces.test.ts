import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Columns } from '../define.ts'
import { tracesPart } from './traces-part.ts'
import {
  addSteps,
  createOpenTraces,
  takeQuiet,
  TRACES_MAX,
  type OpenTrace,
  type OpenTraces
} from './traces.ts'

const MINUTE_MS = 60_000

type Row = {
  keys: (string | null)[]
  user: string | null
  numbers: Record<string, number>
}

const columnsOf = (rows: readonly Row[]): Columns => {
  const names = ['time_ms', 'duration_ms', 'refused', 'cost_pico', 'trace', 'span', 'parent']
  const keys = [...new Set(rows.map(({ keys: own }) => JSON.stringify(own)))]
  return {
    rows: rows.length,
    series: Int32Array.from(rows, ({ keys: own }) => keys.indexOf(JSON.stringify(own))),
    keys: keys.map((key) => JSON.parse(key) as (string | null)[]),
    measures: Object.fromEntries(
      names.map((name) => [name, Float64Array.from(rows, ({ numbers }) => numbers[name]!)])
    ),
    texts: { user: { at: (row) => rows[row]!.user } }
  }
}

/** Seeded chance: a whole number below `below`. */
const seeded = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** Steps of a minute, of some traces that went on in others and some that begin. */
const minuteOf = (startMs: number, count: number, chance: (below: number) => number): Row[] => {
  const pick = <One>(...some: One[]): One => some[chance(some.length)]!
  return Array.from({ length: count }, () => ({
    keys: [
      pick('a', 'b'),
      pick('llm', 'tool', 'agent', 'guardrail'),
      pick(null, 'search'),
      pick(null, 'x')
    ],
    user: pick(null, `user-${chance(50)}`),
    numbers: {
      time_ms: startMs + chance(MINUTE_MS),
      duration_ms: chance(90_000),
      refused: pick(0, 1, Number.NaN),
      cost_pico: pick(Number.NaN, 5, 7),
      trace: (Math.floor(startMs / MINUTE_MS / 3) * 1000 + chance(count / 2)) * 0x9e3779b1,
      span: pick(Number.NaN, chance(10)),
      parent: pick(Number.NaN, chance(10))
    }
  }))
}

/** The same as objects: what the rows stand for. */
const referenceOf = () => {
  const open = new Map<number, OpenTrace & { lastMs: number }>()
  const orNull = (value: number): number | null => (Number.isNaN(value) ? null : value)
  return {
    add: (rows: readonly Row[]): void => {
      for (const { keys, user, numbers } of rows) {
        const [tenant, kind, name, route] = keys
        const fresh = {
          tenant: tenant!,
          route: null,
          user: null,
          costPico: 0,
          steps: [],
          lastMs: 0
        }
        const trace = open.get(numbers['trace']!) ?? fresh
        open.set(numbers['trace']!, trace)
        const endMs = numbers['time_ms']! + numbers['duration_ms']!
        trace.route ??= route ?? null
        trace.user ??= user
        trace.lastMs = Math.max(trace.lastMs, endMs)
        trace.costPico += orNull(numbers['cost_pico']!) ?? 0
        if (trace.steps.length === 200) continue
        trace.steps.push({
          kind: kind!,
          name: name ?? null,
          startMs: numbers['time_ms']!,
          endMs,
          span: orNull(numbers['span']!),
          parent: orNull(numbers['parent']!),
          refused: numbers['refused'] === 1
        })
      }
    },
    take: (nowMs: number): OpenTrace[] => {
      const taken: OpenTrace[] = []
      for (const [id, { lastMs, ...trace }] of open) {
        if (lastMs + MINUTE_MS >= nowMs && open.size <= TRACES_MAX) continue
        open.delete(id)
        taken.push(trace)
      }
      return taken
    }
  }
}

const taken = (open: OpenTraces, nowMs: number): OpenTrace[] => {
  const traces: OpenTrace[] = []
  takeQuiet(open, nowMs, (trace) => traces.push(trace))
  return traces
}

const savedAndRestored = (open: OpenTraces): OpenTraces => {
  const { json, arrays } = tracesPart.save(open)
  const copy = JSON.parse(JSON.stringify(json)) as unknown
  return tracesPart.restore(copy, structuredClone(arrays), createOpenTraces())
}

test('rows give the traces that objects would, minute after minute and after a restart', () => {
  const chance = seeded(7)
  const reference = referenceOf()
  let open = createOpenTraces()
  let count = 0
  for (let minute = 0; minute < 60; minute++) {
    const startMs = minute * MINUTE_MS
    const own = taken(open, startMs)
    assert.deepEqual(own, reference.take(startMs), `minute ${minute}`)
    count += own.length
    const rows = minuteOf(startMs, chance(3) === 0 ? 4 : 400, chance)
    for (const part of [rows.slice(0, 150), rows.slice(150)]) {
      addSteps(open, columnsOf(part))
      reference.add(part)
    }
    if (chance(4) === 0) open = savedAndRestored(open)
  }
  assert.ok(count > 2_000, `${count} traces`)
})

test('of a runaway trace the first 200 steps are kept, and all that it cost', () => {
  const [row] = minuteOf(0, 1, seeded(3))
  const open = createOpenTraces()
  row!.numbers['cost_pico'] = 5
  for (let n = 0; n < 3; n++) {
    addSteps(open, columnsOf(Array.from({ length: 100 }, () => row!)))
  }
  const [trace] = taken(open, 10 * MINUTE_MS)
  assert.deepEqual([trace?.steps.length, trace?.costPico], [200, 1500])
})

test('beyond fifty thousand traces the oldest are over, and memory is given back', () => {
  const [row] = minuteOf(0, 1, seeded(3))
  const steps = (from: number, to: number): Row[] =>
    Array.from({ length: to - from }, (_, n) => ({
      ...row!,
      user: `user-${from + n}`,
      numbers: { ...row!.numbers, trace: (from + n) * 0x9e3779b1 }
    }))
  const open = createOpenTraces()
  addSteps(open, columnsOf(steps(0, 2 * TRACES_MAX)))
  const { length } = open.traces.doubles
  const early = taken(open, 0)
  assert.equal(early.length, TRACES_MAX)
  assert.deepEqual([early[0]?.user, early.at(-1)?.user], ['user-0', `user-${TRACES_MAX - 1}`])
  assert.equal(open.words.texts.filter((text) => text.startsWith('user-')).length, TRACES_MAX)
  assert.equal(taken(open, 10 * MINUTE_MS).length, TRACES_MAX)
  assert.ok(open.traces.doubles.length < length / 4)
  assert.deepEqual([open.words.texts, open.rowOf.size], [[], 0])
})
