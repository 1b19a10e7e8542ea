import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { createDial } from '../../services/stream/kafka/internals.ts'
import { KafkaLog } from '../../services/stream/kafka/log.ts'
import { fetchMetadata } from '../../services/stream/kafka/metadata.ts'
import { startTestCluster } from '../../services/stream/kafka/test-cluster.ts'
import { startBroker, type Broker } from '../kafka/broker.ts'
import { assertSettled } from './checker.ts'
import { ledgerOf, sumTruth } from './ledger.ts'
import { caughtUp, consume, createStand, settleAll, until } from './stand.ts'

/** Three nodes: the first controls, the other two hold the topic. */

/** Of brokers: elections wait for it. A loaded machine's heartbeats still fit in. */
const BROKER_SESSION_MS = 4_000
/** Longer than the election may take: connections and membership last through it. */
const PATIENCE_MS = 120_000
const LEADER = 2
const FOLLOWER = 3

const cluster = await startTestCluster(process.env, { sessionMs: BROKER_SESSION_MS })
const { skip, broker, brokers } = cluster
after(cluster.stop)

/** Nodes that hold the topic, once they are known to the first one. */
const startReplicas = async (): Promise<[Broker, Broker]> => {
  const start = (nodeId: number): Promise<Broker> =>
    startBroker({ joins: { cluster: broker!.cluster, nodeId } })
  const nodes = await Promise.all([start(LEADER), start(FOLLOWER)])
  await until('three nodes', () =>
    cluster.withAdmin(async (admin) => (await admin.describeCluster()).brokers.length === 3)
  )
  return nodes
}

const createReplicated = (topic: string): Promise<boolean> =>
  cluster.withAdmin((admin) => {
    const configEntries = [
      { name: 'unclean.leader.election.enable', value: 'true' },
      { name: 'message.timestamp.type', value: 'LogAppendTime' }
    ]
    const replicaAssignment = [{ partition: 0, replicas: [LEADER, FOLLOWER] }]
    return admin.createTopics({ topics: [{ topic, replicaAssignment, configEntries }] })
  })

/** The leader as the first node knows it, whatever hangs elsewhere. */
const leaderOf = async (topic: string): Promise<number | undefined> => {
  const connection = await createDial({ brokers })()
  try {
    return (await fetchMetadata(connection, topic, PATIENCE_MS)).leaders[0]
  } finally {
    await connection.close()
  }
}

describe('an election that a replica out of sync wins', { skip }, () => {
  test('is noticed by a reader whose connection never breaks', async (t) => {
    // The topic of groups is made here, so that the first node alone has it.
    await cluster.withAdmin((admin) => admin.describeGroups(['any']))
    const [leader, follower] = await startReplicas()
    t.after(() => Promise.all([leader, follower].map((node) => node.thaw().then(node.stop))))
    const topic = 'election'
    await createReplicated(topic)
    await until('the leader', async () => (await leaderOf(topic)) === LEADER)
    const log = new KafkaLog({ brokers, timeoutMs: PATIENCE_MS, sessionTimeoutMs: PATIENCE_MS })
    t.after(() => log.close())
    const [kept, last] = [ledgerOf('kept', 600), ledgerOf('last', 100)]
    const [lost, fresh] = [ledgerOf('lost', 400), ledgerOf('fresh', 900)]
    await log.append(topic, kept.records)
    const stand = await createStand(t, { log, topic })
    const consuming = consume(stand)
    try {
      await caughtUp(stand, consuming)
      await follower.freeze()
      // Resolves once the follower counts as out of sync; it may still get these, which it had asked for.
      await log.append(topic, last.records)
      await log.append(topic, lost.records)
      await caughtUp(stand, consuming)

      // The reader's question hangs at the leader, which does not know that it is none any more.
      await leader.freeze()
      await follower.thaw()
      await until('another leader', async () => (await leaderOf(topic)) === FOLLOWER)
      // A sender of its own: the log's connections to the old leader hang.
      const sender = new KafkaLog({ brokers })
      await sender.append(topic, fresh.records)
      await sender.close()
      await leader.thaw()
      await caughtUp(stand, consuming)
    } finally {
      await consuming.stop()
    }
    await settleAll(stand)
    const truth = [kept, last, lost, fresh].map((one) => one.truth).reduce(sumTruth)
    const { gaps } = await assertSettled(stand.data, truth, t)
    assert.deepEqual(
      gaps.map(({ reason, first, next }) => [reason, first, next]),
      [['truncation', 1_100, 1_100]]
    )
  })
})
