import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createColumns, type GrainRow } from '../../../infra/worlds/grain-rows.ts'
import { createRandom } from '../../../infra/worlds/random.ts'
import type { Draft, Minute } from '../define.ts'
import signal from './signal.ts'

const START_MS = Date.parse('2026-03-02T09:00:00Z')
const MINUTE_MS = 60_000
const COST_PICO = 2e9

/** Attempts of one operation, each after twice the wait of the one before, a minute at most. */
const operation = (name: string, startMs: number, attempts: number): GrainRow[] => {
  let ms = startMs
  return Array.from({ length: attempts }, (_, i) => {
    ms += i === 0 ? 0 : Math.min(60_000, 1000 * 2 ** (i - 1))
    return {
      tenant: 'acme',
      model: 'm',
      attempt: i + 1,
      tokens: 4000,
      cost_pico: COST_PICO,
      operation: name,
      time_ms: ms,
      failure: i < attempts - 1 ? '529' : null,
      id: `${name}-${i}`
    }
  })
}

/** Operations whose every attempt is followed by another with the same chance. */
const geometric = (count: number, chance: number, seed: number): GrainRow[] => {
  const random = createRandom(seed)
  return Array.from({ length: count }, (_, i) =>
    operation(`op${i}`, START_MS + i * 2000, random.geometric(1 - chance))
  ).flat()
}

const minutesOf = (rows: readonly GrainRow[], minutes: number): Minute[] => {
  const columns = createColumns(signal.inputs.traces!)
  const byMinute = Array.from({ length: minutes }, (): GrainRow[] => [])
  const inOrder = [...rows].sort((a, b) => Number(a['time_ms']) - Number(b['time_ms']))
  for (const row of inOrder) {
    const at = Number(row['time_ms']) - START_MS
    byMinute[Math.floor(at / MINUTE_MS)]?.push({ ...row, at_ms: at % MINUTE_MS })
  }
  return byMinute.map((own, i) => ({
    startMs: START_MS + i * MINUTE_MS,
    grains: own.length === 0 ? {} : { traces: columns(own) }
  }))
}

const foldAll = (minutes: readonly Minute[], cuts = 0): Draft[] => {
  let fold = signal.open()
  return minutes.flatMap((minute, index) => {
    if (cuts > 0 && index % cuts === 0) fold = signal.open({}, fold.save())
    return fold.fold(minute)
  })
}

test('clients that retry by chance are left alone, whether they do it rarely or often', () => {
  for (const [seed, chance] of [0.02, 0.1, 0.3].entries()) {
    const minutes = minutesOf(geometric(10_000, chance, seed), 360)
    assert.deepEqual(foldAll(minutes), [], `chance ${chance}`)
  }
})

test('a loop is caught while it runs, with the money so far', () => {
  const loop = operation('stuck', START_MS + 30 * MINUTE_MS, 40)
  const drafts = foldAll(minutesOf([...geometric(1000, 0.05, 7), ...loop], 140))
  const [first] = drafts
  assert.equal(first?.scope['operation'], 'stuck')
  const attempts = Number(first.after['attempts'])
  assert.ok(attempts >= 5 && attempts <= 14, `${attempts} attempts`)
  assert.equal(first.after['wasted_usd'], (((attempts - 1) * COST_PICO) / 1e12).toFixed(4))
  assert.ok(first.detected_at < new Date(Number(loop.at(-1)!['time_ms'])).toISOString())
  assert.equal(drafts.at(-1)?.status, 'resolved')
})

test('a client whose policy is nine attempts is known after a few that used them', () => {
  const rows = Array.from({ length: 60 }, (_, i) =>
    operation(`down${i}`, START_MS + i * 10 * MINUTE_MS, 9)
  ).flat()
  const told = foldAll(minutesOf([...rows, ...geometric(10_000, 0.02, 3)], 620))
  assert.ok(told.filter(({ status }) => status === 'firing').length <= 3, `${told.length}`)
})

test('a restart in the middle of a loop neither repeats nor loses anything', () => {
  const loop = operation('stuck', START_MS + 5 * MINUTE_MS, 30)
  const minutes = minutesOf([...geometric(600, 0.1, 5), ...loop], 80)
  const through = foldAll(minutes)
  assert.ok(through.length >= 2)
  assert.deepEqual(foldAll(minutes, 1), through)
})
