import assert from 'node:assert/strict'
import path from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { EVENTS_TOPIC } from '../../schemas/topics.ts'
import { EmbeddedLog } from '../../services/stream/embedded/log.ts'
import { assertSettled, readLake } from './checker.ts'
import { runStageProcess, startStage } from './child.ts'
import { createLedger, sumTruth, type Ledger } from './ledger.ts'
import { consumeAll, createStand, faultFolder, LATER_MS, settleAll, type Stand } from './stand.ts'

const START_MS = Date.parse('2026-03-01T00:00:00Z')
const PARTITIONS = 3

/** A folder as the command lays it out, its log open here too, and records in it. */
const standWith = async (t: TestContext, { records }: Ledger): Promise<Stand> => {
  const data = await faultFolder(t)
  const log = new EmbeddedLog(path.join(data, 'log'))
  t.after(() => log.close())
  await log.ensureTopic(EVENTS_TOPIC, PARTITIONS)
  await log.append(EVENTS_TOPIC, records)
  return createStand(t, { log, topic: EVENTS_TOPIC, data })
}

/** Steps of the lake's storage: before and behind each write, link and sync of a flush. */
const CONSUME_CRASHES = [
  'publish:synced#1',
  'publish:linked#2',
  'publish:done#3',
  'decide:start#2',
  'decide:synced#2',
  'decide:linked#2',
  'decide:done#2',
  'decide:linked#3',
  'publish:done#9',
  'decide:done#7'
]

const SETTLE_CRASHES = [
  'publish:done#1',
  'publish:linked#4',
  'decide:synced#1',
  'decide:linked#1',
  'decide:done#3',
  'decide:linked#6'
]

/** Runs a stage once for each step, and sees it die there. */
const dieAtEach = async (steps: readonly string[], env: Record<string, string>): Promise<void> => {
  for (const step of steps) {
    const { signal, output } = await runStageProcess({ ...env, CRASH_AT: step })
    assert.equal(signal, 'SIGKILL', `${step}: ${output}`)
  }
}

describe('after kill -9', () => {
  test('at every step of a flush or of settling, nothing is lost and nothing counts twice', async (t) => {
    const ledger = createLedger({
      seed: 11,
      events: 9_000,
      startMs: START_MS,
      repeats: 0.1,
      conflicts: 0.02
    })
    const stand = await standWith(t, ledger)
    const { data } = stand
    await dieAtEach(CONSUME_CRASHES, { STAGE: 'consume', DATA: data })
    await consumeAll(stand)
    const { events } = await readLake(data)
    assert.equal(events['events'], ledger.truth.records)
    await dieAtEach(SETTLE_CRASHES, { STAGE: 'settle', DATA: data, NOW_MS: String(LATER_MS) })
    await settleAll(stand)
    await assertSettled(data, ledger.truth, t)
  })
})

describe('a consumer that slept', () => {
  test('finds its records landed by another one and leaves its own out', async (t) => {
    const ledger = createLedger({ seed: 12, events: 3_000, startMs: START_MS, repeats: 0.05 })
    const stand = await standWith(t, ledger)
    const env = { STAGE: 'serve', DATA: stand.data, FLUSH_MS: '60000', FLUSH_ROWS: '1000000' }
    const sleeper = startStage(env)
    t.after(() => sleeper.process.kill('SIGKILL'))
    await sleeper.said('pending')
    sleeper.process.kill('SIGSTOP')
    await consumeAll(stand)
    sleeper.process.kill('SIGCONT')
    sleeper.process.kill('SIGTERM')
    const ended = await sleeper.ended
    assert.equal(ended.code, 0, ended.output)
    assert.equal((await readLake(stand.data)).events['events'], ledger.truth.records)
    await settleAll(stand)
    await assertSettled(stand.data, ledger.truth, t)
  })
})

describe('late events', () => {
  test('settle their hour again, whatever was settled before', async (t) => {
    const early = createLedger({ seed: 13, events: 2_000, startMs: START_MS, repeats: 0.1 })
    const late = createLedger({
      seed: 14,
      events: 500,
      startMs: START_MS,
      prefix: 'late',
      repeats: 0.1
    })
    const stand = await standWith(t, early)
    for (const { records } of [late, late]) {
      await consumeAll(stand)
      await settleAll(stand)
      await stand.log.append(EVENTS_TOPIC, records)
    }
    await consumeAll(stand)
    await settleAll(stand)
    await assertSettled(stand.data, sumTruth(early.truth, late.truth), t)
  })
})
