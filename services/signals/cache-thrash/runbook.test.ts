import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createColumns } from '../../../infra/worlds/grain-rows.ts'
import { drawTenants, playTenant, type Change } from '../../../infra/worlds/hit-rate.ts'
import { createRandom } from '../../../infra/worlds/random.ts'
import type { Draft } from '../define.ts'
import signal from './signal.ts'

/** What the runbook says under "When it lies", held against a tenant of a noisy world. */

const START_MS = Date.parse('2026-03-02T00:00:00Z')
const MINUTE_MS = 60_000
const DAY = 1440
const PPM = 1e6
const [DRAWN] = drawTenants(1, 'mild', 70)
const TENANT = { ...DRAWN!, ratePerMinute: 6, coldStartsPerDay: 0 }

type Emitter = {
  days: number
  /** From this minute on (and before `until`) the cache serves so much less. */
  changes?: readonly (Change & { until?: number })[]
  /** Share of minutes' calls that are kept. */
  sampled?: number
  /** Minutes in which the cached field is null. */
  isNull?: (minute: number) => boolean
}

const play = ({ days, changes = [], sampled = 1, isNull = () => false }: Emitter): Draft[] => {
  const fold = signal.open()
  const columns = createColumns(signal.inputs.window!)
  const random = createRandom(71)
  const drafts: Draft[] = []
  const factorAt = (minute: number): number =>
    changes.find((one) => minute >= one.minute && minute < (one.until ?? Infinity))?.factor ?? 1
  playTenant({ tenant: TENANT, days, change: null, seed: 72 }, ({ minute, n, w, h, ww, x }) => {
    if (random.uniform() >= sampled) return
    const factor = factorAt(minute)
    const sums = isNull(minute)
      ? { n: 0, null_n: n, w: 0, h: 0, ww: 0, x_ppm: 0 }
      : { n, null_n: 0, w, h: h * factor, ww, x_ppm: Math.floor(x * factor * PPM) }
    const row = { tenant: 't', provider: 'p', model: 'm', writes: 0, cost_pico: 0, ...sums }
    const grains = { window: columns([row]) }
    drafts.push(...fold.fold({ startMs: START_MS + minute * MINUTE_MS, grains }))
  })
  return drafts.filter(({ status }) => status === 'firing')
}

const minuteOf = ({ detected_at: at }: Draft): number => (Date.parse(at) - START_MS) / MINUTE_MS
const COLLAPSE = { minute: 9 * DAY + 600, factor: 18 / 71 }

test('a tenant that arrives collapsed is learned as it is, and its recovery is no finding', () => {
  assert.deepEqual(
    play({ days: 10, changes: [{ minute: 0, factor: 18 / 71, until: 4 * DAY }] }),
    []
  )
})

test('two weeks after it has recovered, a collapse of such a tenant is found', () => {
  const early = { minute: 0, factor: 18 / 71, until: 2 * DAY }
  const late = { minute: 16 * DAY + 600, factor: 18 / 71 }
  const [found, ...more] = play({ days: 17, changes: [early, late] })
  assert.deepEqual(more, [])
  assert.ok(found !== undefined && minuteOf(found) > late.minute)
})

test('of a tenth of the minutes the rates stay right, and the collapse is found later', () => {
  const [all] = play({ days: 10.5, changes: [COLLAPSE] })
  const [some] = play({ days: 11.5, changes: [COLLAPSE], sampled: 0.1 })
  assert.ok(all !== undefined && some !== undefined)
  assert.ok(minuteOf(some) > minuteOf(all))
  const rates = [all, some].map(({ after }) => Number(after['hit_rate_pct']))
  assert.ok(Math.abs(rates[0]! - rates[1]!) < 10, rates.join(' '))
  assert.deepEqual(play({ days: 11.5, sampled: 0.1 }), [])
})

test('null cached fields are a gap in the reports, never a cache that serves nothing', () => {
  const found = play({ days: 10.5, isNull: (minute) => minute >= COLLAPSE.minute })
  assert.deepEqual(
    found.map(({ severity, after }) => [severity, after['mechanism']]),
    [['info', 'reporting-gap']]
  )
  const [half, ...more] = play({
    days: 10.5,
    changes: [COLLAPSE],
    isNull: (minute) => minute % 2 === 0
  })
  assert.ok(half !== undefined && minuteOf(half) > COLLAPSE.minute)
  assert.deepEqual(more, [])
})
