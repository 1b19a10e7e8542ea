import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CHANGE_MINUTE, drawWorld, type CulpritWorld } from '../../../infra/worlds/culprit.ts'
import { playWorld } from '../../../infra/worlds/culprit-truth.ts'
import { servedMinutes } from '../../../infra/worlds/served-minutes.ts'
import type { Draft, Minute } from '../define.ts'
import { createLedger, hashPart, NEVER_SEEN, restoreLedger, saveLedger, touch } from './ledger.ts'
import signal from './signal.ts'

const START_MS = Date.parse('2026-03-02T09:00:00Z')
/** Harmful draws of each shift, found by search over seeds. */
const HARMFUL = [
  { seed: 43, shift: 'uuid_head' },
  { seed: 78, shift: 'rag_before_history' },
  { seed: 162, shift: 'rate_x5' },
  { seed: 71, shift: 'long_agent_context' }
] as const

const minutesOf = (world: CulpritWorld): { minutes: Minute[]; victims: Set<string> } => {
  const truth = playWorld(world)
  const tenant = (index: number) => `t${index}`
  const naming = { startMs: START_MS, tenant, cachePool: 'pool', blockTokens: 1024 }
  return {
    minutes: servedMinutes(truth.served, naming),
    victims: new Set(truth.victims.map(tenant))
  }
}

const foldAll = (minutes: readonly Minute[]): Draft[] => {
  const fold = signal.open()
  return minutes.flatMap((minute) => fold.fold(minute))
}

const minutesAfterChange = (draft: Draft): number =>
  (Date.parse(draft.detected_at) - START_MS) / 60_000 - CHANGE_MINUTE

for (const { seed, shift } of HARMFUL) {
  test(`the culprit is named within ten minutes: ${shift}`, () => {
    const world = drawWorld(seed, shift)
    const [first] = foldAll(minutesOf(world).minutes)
    assert.ok(first !== undefined && minutesAfterChange(first) > 0, 'nothing before the change')
    assert.ok(minutesAfterChange(first) <= 10, `after ${minutesAfterChange(first)} min`)
    assert.equal(first.culprit?.['tenant'], `t${world.culprits[0]}`)
    assert.equal(first.culprit?.['confidence'], 'high')
  })
}

test('four of five tenants told as victims are, and so are four of five victims told', () => {
  const sum = { right: 0, told: 0, victims: 0 }
  for (const { seed, shift } of HARMFUL) {
    const { minutes, victims } = minutesOf(drawWorld(seed, shift))
    const last = foldAll(minutes).findLast(({ scope }) => scope['level'] === 'pool')
    const told = (last?.victims ?? []).map((victim) => String(victim['tenant']))
    const right = told.filter((tenant) => victims.has(tenant)).length
    const figures = `${shift}: ${told.join(' ')} told of ${[...victims].join(' ')}`
    assert.ok(right >= 0.6 * told.length && right >= 0.6 * victims.size, figures)
    sum.right += right
    sum.told += told.length
    sum.victims += victims.size
  }
  const figures = JSON.stringify(sum)
  assert.ok(sum.right >= 0.8 * sum.told && sum.right >= 0.8 * sum.victims, figures)
})

test('a tenant whose prompts change while others have a bad hour is not named for it', () => {
  const { minutes } = minutesOf(drawWorld(5425, 'rate_x5'))
  assert.deepEqual(
    foldAll(minutes).filter((draft) => minutesAfterChange(draft) <= 0),
    []
  )
})

test('a night on which one tenant innocently grows 2.5 times names nobody', () => {
  const world = { ...drawWorld(12, 'uuid_head'), culprits: [], surge: 1 }
  assert.deepEqual(foldAll(minutesOf(world).minutes), [])
})

test('a restart in the middle of an incident neither repeats nor loses anything', () => {
  const { minutes } = minutesOf(drawWorld(43, 'uuid_head'))
  const through = foldAll(minutes)
  for (const cut of [30, 52, 58]) {
    const first = signal.open()
    const before = minutes.slice(0, cut).flatMap((minute) => first.fold(minute))
    const second = signal.open({}, first.save())
    const after = minutes.slice(cut).flatMap((minute) => second.fold(minute))
    assert.deepEqual([...before, ...after], through, `cut at ${cut}`)
  }
})

test('the ledger stays bounded under a flood of prefixes, and still knows the old ones it kept', () => {
  const ledger = createLedger()
  for (let n = 0; n < 300_000; n++)
    touch(ledger, hashPart(`p${n}`, 0, 8), { second: n / 1000, input: n })
  assert.ok(ledger.used <= 32_768 && ledger.shift >= 3, `${ledger.used} at shift ${ledger.shift}`)
  const { shift, entries } = saveLedger(ledger, 300)
  const back = restoreLedger(shift, entries)
  let known = 0
  for (let n = 0; n < 300_000; n++) {
    const { gap, tokens } = touch(back, hashPart(`p${n}`, 0, 8), { second: 300, input: 0 })
    if (gap >= 0) known += 1
    else assert.ok(gap <= NEVER_SEEN)
    assert.equal(tokens, gap >= 0 ? n : 0)
  }
  assert.equal(known, ledger.used)
})
