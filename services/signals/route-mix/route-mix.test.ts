import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createColumns, type GrainRow } from '../../../infra/worlds/grain-rows.ts'
import { createRandom } from '../../../infra/worlds/random.ts'
import type { Draft, Minute } from '../define.ts'
import signal from './signal.ts'

const START_MS = Date.parse('2026-03-02T00:00:00Z')
const MINUTE_MS = 60_000
const TURNS = 5

type Router = (at: { minute: number; turn: number; conversation: number }) => string

/** Conversations of five turns, one a minute; four begin each minute. */
const play = (minutes: number, router: Router): Minute[] => {
  const columns = createColumns(signal.inputs.traces!)
  return Array.from({ length: minutes }, (_, minute) => {
    const rows: GrainRow[] = []
    for (let turn = 0; turn < TURNS; turn++) {
      for (let side = 0; side < 4; side++) {
        const conversation = (minute - turn) * 4 + side
        if (conversation < 0) continue
        rows.push({
          tenant: 'acme',
          asked: 'smart',
          model: router({ minute, turn, conversation }),
          at_ms: turn * 1000 + side,
          is_fallback: 0,
          conversation: `c${conversation}`,
          end_user: `u${conversation % 50}`,
          kind: 'llm',
          id: `${minute}-${turn}-${side}`
        })
      }
    }
    return { startMs: START_MS + minute * MINUTE_MS, grains: { traces: columns(rows) } }
  })
}

const foldAll = (minutes: readonly Minute[], cuts = 0): Draft[] => {
  let fold = signal.open()
  return minutes.flatMap((minute, index) => {
    if (cuts > 0 && index % cuts === 0) fold = signal.open({}, fold.save())
    return fold.fold(minute)
  })
}

/** One conversation in five goes to the small model; from a minute on every second one. */
const moved =
  (from: number): Router =>
  ({ minute, turn, conversation }) => {
    const every = minute - turn < from ? 5 : 2
    return conversation % every === 0 ? 'small' : 'large'
  }

test('a router that moves its mix is told with the share before and after', () => {
  const first = foldAll(play(400, moved(300))).find(({ scope }) => scope['level'] === 'mix')
  assert.equal(first?.scope['model'], 'small')
  assert.equal(first.scope['requested_model'], 'smart')
  assert.ok(Math.abs(Number(first.before['share_pct']) - 20) < 3)
  assert.ok(Math.abs(Number(first.after['share_pct']) - 50) < 10)
  const minute = (Date.parse(first.detected_at) - START_MS) / MINUTE_MS
  assert.ok(minute > 300 && minute <= 375, `after ${minute - 300} minutes`)
})

test('conversations that flip between two models are told, with the ways back', () => {
  const flips: Router = ({ minute, turn, conversation }) =>
    minute > 300 && conversation % 4 === 0 && turn % 2 === 1 ? 'small' : 'large'
  const drafts = foldAll(play(360, flips))
  const [first] = drafts
  assert.equal(first?.scope['level'], 'conversation')
  assert.ok(Number(first.after['ways_back']) * 3 > Number(first.after['switches']))
})

test('a router that splits by chance is left alone for a day', () => {
  const random = createRandom(4)
  const models = new Map<number, string>()
  const split: Router = ({ conversation }) => {
    const known = models.get(conversation) ?? (random.uniform() < 0.3 ? 'small' : 'large')
    models.set(conversation, known)
    return known
  }
  assert.deepEqual(foldAll(play(1500, split)), [])
})

test('a restart in the middle of a move neither repeats nor loses anything', () => {
  const minutes = play(360, moved(300))
  const through = foldAll(minutes)
  assert.ok(through.length > 0)
  assert.deepEqual(foldAll(minutes, 7), through)
})

test('which model gets a series first is up to its calls, not to what was served before a restart', () => {
  const columns = createColumns(signal.inputs.traces!)
  const minute = (startMs: number, ...models: string[]): Minute => {
    const rows = models.map((model, at_ms) => ({
      tenant: 'acme',
      asked: 'smart',
      model,
      at_ms,
      is_fallback: 0,
      kind: 'llm',
      id: model
    }))
    return { startMs, grains: { traces: columns(rows) } }
  }
  const through = signal.open()
  through.fold(minute(START_MS, 'large', 'small'))
  const restarted = signal.open({}, through.save())
  // All series were idle for so long that they are forgotten.
  const later = minute(START_MS + 50 * 86_400_000, 'small', 'large')
  for (const fold of [through, restarted]) fold.fold(later)
  assert.ok(Buffer.from(through.save()).equals(restarted.save()))
})
