import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Served } from '../../../infra/worlds/prefix-cache.ts'
import { servedMinutes } from '../../../infra/worlds/served-minutes.ts'
import type { Draft } from '../define.ts'
import signal from './signal.ts'

/**
 * One cache whose tenants repeat their prompts every half minute. Another, whose prompts are all new,
 * calls five times as often; from then on the others are refused, each from a minute of its own on.
 */

const START_MS = Date.parse('2026-03-02T09:00:00Z')
const CHANGE_MINUTE = 50
const MINUTES = 110
const INPUT_TOKENS = 8_192
const CULPRIT = 0
/** By tenant: minutes from the change to its first refusal. */
const REFUSED_FROM = [Infinity, 0, 1, 12, 21, 26, 31, Infinity]

const OTHERS = Array.from(REFUSED_FROM.keys()).filter((tenant) => tenant !== CULPRIT)

const prompt = (second: number, tenant: number, prefix: number, cached: boolean): Served => ({
  second,
  tenant,
  inputTokens: INPUT_TOKENS,
  cachedTokens: cached ? INPUT_TOKENS : 0,
  ladder: [0, 1, 2, 3].map((rung) => 10 * prefix + rung)
})

const culpritMinute = (minute: number): Served[] =>
  Array.from({ length: minute < CHANGE_MINUTE ? 4 : 20 }, (_, call) =>
    prompt(60 * minute + 3 * call, CULPRIT, 1_000 + 20 * minute + call, false)
  )

const otherMinute = (minute: number, tenant: number): Served[] => {
  const isServed = minute > 0 && minute < CHANGE_MINUTE + REFUSED_FROM[tenant]!
  return [tenant, 30 + tenant].map((second) =>
    prompt(60 * minute + second, tenant, tenant, isServed)
  )
}

const play = (): Draft[] => {
  const served = Array.from({ length: MINUTES }, (_, minute) => [
    ...culpritMinute(minute),
    ...OTHERS.flatMap((tenant) => otherMinute(minute, tenant))
  ])
  const tenant = (index: number) => `t${index}`
  const naming = { startMs: START_MS, tenant, cachePool: 'pool', blockTokens: 1_024 }
  const fold = signal.open()
  const calls = served.flatMap((minute) => minute.sort((a, b) => a.second - b.second))
  return servedMinutes(calls, naming)
    .flatMap((minute) => fold.fold(minute))
    .filter(({ scope }) => scope['level'] === 'pool')
}

const minutesIn = (draft: Draft): number =>
  (Date.parse(draft.detected_at) - Date.parse(draft.started_at)) / 60_000

const told = ({ victims }: Draft): string =>
  victims
    .map(({ tenant }) => String(tenant))
    .sort()
    .join(' ')

test('who loses is judged again every five minutes for half an hour, and told when it has changed', () => {
  const [opened, ...again] = play()
  assert.equal(opened?.started_at, new Date(START_MS + 60_000 * CHANGE_MINUTE).toISOString())
  assert.deepEqual(
    again.map((draft) => [minutesIn(draft), told(draft)]),
    [
      [10, 't1 t2'],
      [15, 't1 t2 t3'],
      // Nobody is new; the figures are, which are told again at twenty minutes.
      [20, 't1 t2 t3'],
      [25, 't1 t2 t3 t4'],
      // Who loses after that is told no more.
      [30, 't1 t2 t3 t4 t5']
    ]
  )
})

test('the culprit stays named when what it is measured by is from after the change', () => {
  for (const draft of play()) {
    assert.equal(draft.culprit?.['tenant'], `t${CULPRIT}`, `${minutesIn(draft)} min in`)
    assert.equal(draft.culprit?.['confidence'], 'high')
  }
})
