import assert from 'node:assert/strict'
import { after, describe, test, type TestContext } from 'node:test'
import { CONSUMER_GROUP } from '../../schemas/topics.ts'
import { attach } from '../../services/lake/snapshot.ts'
import { startTestCluster } from '../../services/stream/kafka/test-cluster.ts'
import { assertSettled } from './checker.ts'
import { startStage } from './child.ts'
import { ledgerOf, sumTruth } from './ledger.ts'
import { caughtUp, createStand, lagOf, settleAll, until, type Stand } from './stand.ts'

/** Several consumers of one group, as processes of their own. */

const cluster = await startTestCluster(process.env)
const { skip, brokers, log } = cluster
after(cluster.stop)

const PARTITIONS = 4
/** Nobody notices a sleeping member earlier; a loaded machine's heartbeats still fit in. */
const SESSION_MS = 4_000

const standOn = async (t: TestContext, topic: string): Promise<Stand> => {
  await log.ensureTopic(topic, PARTITIONS)
  return createStand(t, { log, topic })
}

describe('two consumers of one group', { skip }, () => {
  test('share a lake while hours settle, and one sleeps through its session', async (t) => {
    const stand = await standOn(t, 'two')
    const { topic, data } = stand
    const early = ledgerOf('early', 3_000, { repeats: 0.1 })
    const later = ledgerOf('later', 2_000, { repeats: 0.1, conflicts: 0.02 })
    const env = {
      STAGE: 'serve',
      DATA: data,
      BROKERS: brokers[0]!,
      TOPIC: topic,
      SESSION_MS: String(SESSION_MS)
    }
    const sleeper = startStage(env)
    const other = startStage(env)
    const children = [sleeper, other]
    t.after(() => children.forEach((child) => child.process.kill('SIGKILL')))
    const failed = Promise.race(children.map((child) => child.failed))
    await until('two members', () => hasMembers(CONSUMER_GROUP, 2))
    let isSettling = true
    const settling = (async () => {
      while (isSettling) await settleAll(stand)
    })()
    await log.append(topic, early.records)
    await caughtUp(stand, { failed })
    isSettling = false
    await settling
    await Promise.all(children.map((child) => child.said('landed')))

    sleeper.process.kill('SIGSTOP')
    await log.append(topic, later.records)
    await caughtUp(stand, { failed })
    sleeper.process.kill('SIGCONT')
    await until('two members again', () => hasMembers(CONSUMER_GROUP, 2))
    assert.equal(await lagOf(stand), 0)
    for (const child of children) child.process.kill('SIGTERM')
    for (const { ended } of children) assert.equal((await ended).code, 0, (await ended).output)
    await settleAll(stand)
    const { gaps } = await assertSettled(data, sumTruth(early.truth, later.truth), t)
    assert.deepEqual(gaps, [])
  })
})

describe('two builds in one group', { skip }, () => {
  test('take over from one another, and no file holds rows of both', async (t) => {
    const stand = await standOn(t, 'builds')
    const ledgers = ['old', 'both', 'next'].map((name) => ledgerOf(name, 900, { repeats: 0.1 }))
    const env = { STAGE: 'serve', DATA: stand.data, BROKERS: brokers[0]!, TOPIC: stand.topic }
    const old = startStage(env)
    t.after(() => old.process.kill('SIGKILL'))
    await log.append(stand.topic, ledgers[0]!.records)
    await caughtUp(stand, old)
    const next = startStage({ ...env, BUILD: 'next-build' })
    t.after(() => next.process.kill('SIGKILL'))
    await until('two members', () => hasMembers(CONSUMER_GROUP, 2))
    await log.append(stand.topic, ledgers[1]!.records)
    await caughtUp(stand, { failed: Promise.race([old.failed, next.failed]) })
    old.process.kill('SIGTERM')
    assert.equal((await old.ended).code, 0)
    await log.append(stand.topic, ledgers[2]!.records)
    await caughtUp(stand, next)
    next.process.kill('SIGTERM')
    assert.equal((await next.ended).code, 0)
    await attach(stand.site, await stand.site.lake.head())
    const [seen] = await stand.site.engine.rows(`SELECT max(builds) AS most,
      count(DISTINCT build) AS builds FROM (SELECT filename, count(DISTINCT generation) AS builds,
      any_value(generation) AS build FROM temp.events_raw GROUP BY 1)`)
    assert.deepEqual([Number(seen?.['most']), Number(seen?.['builds'])], [1, 2])
    await settleAll(stand)
    await assertSettled(stand.data, ledgers.map(({ truth }) => truth).reduce(sumTruth), t)
  })
})

/** Whether a group is at rest with so many members. */
const hasMembers = (group: string, count: number): Promise<boolean> =>
  cluster.withAdmin(async (admin) => {
    const [described] = (await admin.describeGroups([group])).groups
    return described?.state === 'Stable' && described.members.length === count
  })
