import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { EVENTS_TOPIC } from '../../schemas/topics.ts'
import { openLog } from '../../services/cli/site.ts'
import { assertSettled, readLake } from './checker.ts'
import { runStageProcess, startStage } from './child.ts'
import { createLedger, sumTruth, type Ledger } from './ledger.ts'

const START_MS = Date.parse('2026-03-01T00:00:00Z')
/** Long after the events, so that every hour is closed. */
const NOW_MS = String(Date.parse('2030-01-01T00:00:00Z'))
const PARTITIONS = 3

const stageFolder = async (t: TestContext): Promise<string> => {
  const data = await mkdtemp(path.join(tmpdir(), 'tally-faults-'))
  t.after(() => rm(data, { recursive: true, force: true }))
  return data
}

const send = async (data: string, { records }: Ledger): Promise<void> => {
  const log = openLog({ data })
  await log.ensureTopic(EVENTS_TOPIC, PARTITIONS)
  await log.append(EVENTS_TOPIC, records)
  await log.close()
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

describe('after kill -9', () => {
  test('of the consumer at every step of a flush, nothing is lost and nothing counts twice', async (t) => {
    const data = await stageFolder(t)
    const ledger = createLedger({
      seed: 11,
      events: 6_000,
      startMs: START_MS,
      repeats: 0.1,
      conflicts: 0.02
    })
    await send(data, ledger)
    for (const crashAt of CONSUME_CRASHES) {
      const { signal, output } = await runStageProcess({
        STAGE: 'consume',
        DATA: data,
        CRASH_AT: crashAt
      })
      assert.equal(signal, 'SIGKILL', `${crashAt}: ${output}`)
    }
    const last = await runStageProcess({ STAGE: 'consume', DATA: data })
    assert.equal(last.code, 0, last.output)
    const { events } = await readLake(data)
    assert.equal(events['events'], ledger.truth.records)
    for (const crashAt of SETTLE_CRASHES) {
      const env = { STAGE: 'settle', DATA: data, NOW_MS, CRASH_AT: crashAt }
      const { signal, output } = await runStageProcess(env)
      assert.equal(signal, 'SIGKILL', `${crashAt}: ${output}`)
    }
    const settled = await runStageProcess({ STAGE: 'settle', DATA: data, NOW_MS })
    assert.equal(settled.code, 0, settled.output)
    await assertSettled(data, ledger.truth)
  })
})

describe('a consumer that slept', () => {
  test('finds its records landed by another one and leaves its own out', async (t) => {
    const data = await stageFolder(t)
    const ledger = createLedger({ seed: 12, events: 4_000, startMs: START_MS, repeats: 0.05 })
    await send(data, ledger)
    const env = { STAGE: 'serve', DATA: data, FLUSH_MS: '60000', FLUSH_ROWS: '1000000' }
    const sleeper = startStage(env)
    await sleeper.said('pending')
    sleeper.process.kill('SIGSTOP')
    const other = await runStageProcess({ STAGE: 'consume', DATA: data })
    assert.equal(other.code, 0, other.output)
    sleeper.process.kill('SIGCONT')
    sleeper.process.kill('SIGTERM')
    const ended = await sleeper.ended
    assert.equal(ended.code, 0, ended.output)
    assert.equal((await readLake(data)).events['events'], ledger.truth.records)
    await runStageProcess({ STAGE: 'settle', DATA: data, NOW_MS })
    await assertSettled(data, ledger.truth)
  })
})

describe('late events', () => {
  test('settle their hour again, whatever was settled before', async (t) => {
    const data = await stageFolder(t)
    const early = createLedger({ seed: 13, events: 2_000, startMs: START_MS, repeats: 0.1 })
    const late = createLedger({
      seed: 14,
      events: 500,
      startMs: START_MS,
      prefix: 'late',
      repeats: 0.1
    })
    for (const ledger of [early, late, late]) {
      await send(data, ledger)
      const consumed = await runStageProcess({ STAGE: 'consume', DATA: data })
      assert.equal(consumed.code, 0, consumed.output)
      const settled = await runStageProcess({ STAGE: 'settle', DATA: data, NOW_MS })
      assert.equal(settled.code, 0, settled.output)
    }
    await assertSettled(data, sumTruth(early.truth, late.truth))
  })
})
