import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startTestCluster } from '../../services/stream/kafka/test-cluster.ts'
import { createRandom } from '../worlds/random.ts'
import { assertSettled, readLake } from './checker.ts'
import { startStage, type Child } from './child.ts'
import { ledgerOf, type Ledger } from './ledger.ts'
import { caughtUp, createStand, settleAll, until } from './stand.ts'

const cluster = await startTestCluster(process.env)
const { skip, brokers, log } = cluster
after(cluster.stop)

const PARTITIONS = 6
/** A member that was killed is missed soon: the next change finds the group still shaken. */
const SESSION_MS = 3_000
const CHANGES = 14
const CHANGE_EVERY_MS = 2_000
const MEMBERS_MAX = 4
/** Records of one append. */
const APPENDED = 50

type Gone = { child: Child; isKilled: boolean }

/** Appends a ledger bit by bit, until the storm is over at the latest. */
const load = async (topic: string, { records }: Ledger, isOver: () => boolean): Promise<void> => {
  const pauseMs = (CHANGES * CHANGE_EVERY_MS * APPENDED) / records.length
  for (let at = 0; at < records.length; at += APPENDED) {
    await log.append(topic, records.slice(at, at + APPENDED))
    if (!isOver()) await sleep(pauseMs)
  }
}

/** Waits for a member's end, which must be a good one unless it was killed. @returns whether it landed rows. */
const hasLanded = async ({ child, isKilled }: Gone): Promise<boolean> => {
  let isOver = false
  void child.ended.then(() => (isOver = true))
  await until(`the end of process ${child.process.pid}`, async () => isOver)
  const { code, signal, output } = await child.ended
  // One that is told to go before it runs has no handler for it yet.
  if (!isKilled && output.includes('running')) assert.deepEqual([code, signal], [0, null], output)
  return /landed [1-9]/.test(output)
}

describe('a rebalance storm', { skip }, () => {
  test('of members that come and go every two seconds, under load: all is landed, and once', async (t) => {
    const topic = 'storm'
    await log.ensureTopic(topic, PARTITIONS)
    const stand = await createStand(t, { log, topic })
    const ledger = ledgerOf('storm', 9_000, { repeats: 0.1, conflicts: 0.02 })
    const env = {
      STAGE: 'serve',
      DATA: stand.data,
      BROKERS: brokers[0]!,
      TOPIC: topic,
      SESSION_MS: String(SESSION_MS)
    }
    const members: Child[] = []
    const gone: Gone[] = []
    const everyone = (): Child[] => [...members, ...gone.map(({ child }) => child)]
    t.after(() => everyone().forEach((child) => child.process.kill('SIGKILL')))
    const random = createRandom(3)
    const change = async (): Promise<void> => {
      const comes = members.length < 2 || (members.length < MEMBERS_MAX && random.uniform() < 0.5)
      if (comes) {
        const child = startStage(env)
        members.push(child)
        // A slow machine's pace is slower: who is killed before it ran was no member.
        return child.said('running')
      }
      const [child] = members.splice(random.integer(0, members.length), 1)
      const isKilled = random.uniform() < 0.5
      child!.process.kill(isKilled ? 'SIGKILL' : 'SIGTERM')
      gone.push({ child: child!, isKilled })
    }

    let isOver = false
    const loading = load(topic, ledger, () => isOver)
    for (let changes = 0; changes < CHANGES; changes++) {
      const pause = sleep(CHANGE_EVERY_MS)
      await change()
      await pause
    }
    isOver = true
    await loading
    t.diagnostic(`${gone.length} members went, ${members.length} stay`)
    await caughtUp(stand, { failed: Promise.race(members.map(({ failed }) => failed)) })
    for (const child of members) child.process.kill('SIGTERM')
    for (const child of members.splice(0)) gone.push({ child, isKilled: false })
    let landers = 0
    for (const member of gone) landers += Number(await hasLanded(member))
    assert.ok(landers >= 2, `${landers} of ${gone.length} members landed something`)

    // Raw rows: settling would hide what was landed twice.
    const { events } = await readLake(stand.data)
    assert.equal(events['events'], ledger.truth.records)
    await settleAll(stand)
    const { gaps } = await assertSettled(stand.data, ledger.truth, t)
    assert.deepEqual(gaps, [])
  })
})
