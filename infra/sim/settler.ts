import { settleRows } from '../../jobs/settle/settle.ts'
import type { SettleRows } from '../../jobs/settle/settle-hour.ts'
import { Failure } from '../../schemas/failure.ts'
import type { Commit, Head } from '../../services/lake/commit.ts'
import type { Lake } from '../../services/lake/lake.ts'
import { isLanded } from './consumer.ts'
import { landEvents, type Shelf } from './memory-encoder.ts'
import { firstOfEach, hourOf, isBefore, TableReader } from './rows.ts'
import type { Actor, Turn } from './scheduler.ts'
import { openSimLake, type World } from './world.ts'

/** Promises that settling breaks, for planted bugs. */
export type SettleBugs = {
  settlesThroughMore?: boolean
  keepsReplacedFiles?: boolean
  dropsOpenFiles?: boolean
  forgetsOtherHours?: boolean
}

/**
 * A settler process: the product's passes, hours and commits over rows of JSON. Two of them may run,
 * as where a lease was lost; each goes on until nothing is left to settle.
 */
export const runSettler = async (world: World, turn: Turn, actor: Actor): Promise<void> => {
  const lake = await openSimLake(world, turn)
  const reader = new TableReader(lake)
  const rows = memoryRows({ lake, disk: world.disk.door(turn) }, reader, world.bugs)
  const doors = { lake: withBugs(lake, world.bugs), generation: 'sim' }
  const log = world.log.door(turn)
  for (;;) {
    await pause(world, turn, actor)
    const isLast = world.isAtRest
    const states = await log.partitions(world.log.topic)
    const partitions = states.map((state) => ({ ...state, topic: world.log.topic }))
    await orAgain(() => settleRows(doors, rows, { partitions, nowMs: world.nowMs() }))
    if (isLast && (await isSettled(lake, reader, states))) return
  }
}

/** Steps of others between two passes, as by a clock that pokes. */
const PAUSE_STEPS_MAX = 300

export const pause = async (world: World, turn: Turn, actor: Actor): Promise<void> => {
  if (!world.isAtRest) {
    actor.stoppedUntil = world.scheduler.steps + world.random.integer(1, PAUSE_STEPS_MAX)
  }
  await turn('begin a pass')
}

/** A lost race or a full disk ends a pass, and the next one goes on. */
export const orAgain = async (work: () => Promise<unknown>): Promise<void> => {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof Failure) || !error.retriable) throw error
  }
}

type States = Parameters<typeof isLanded>[1]

export const positionsOf = (head: Head): Parameters<typeof isLanded>[0] =>
  new Map([...head.positions.values()].map((range) => [range.partition, range]))

const isSettled = async (lake: Lake, reader: TableReader, states: States): Promise<boolean> => {
  const head = await lake.head()
  const isMarked = [...head.state.keys()].some((key) => key.startsWith('resettle/'))
  if (isMarked || !isLanded(positionsOf(head), states)) return false
  return (await reader.provisional(head)).length === 0
}

/** Exact deduplication as `jobs/settle/dedupe-sql.ts` says it, over some hundred rows. */
const memoryRows = (shelf: Shelf, reader: TableReader, bugs: SettleBugs): SettleRows => ({
  provisionalHours: async (head, untilMs) => {
    const rows = await reader.provisional(head)
    return [...new Set(rows.filter(({ timeMs }) => timeMs < untilMs).map(hourOf))]
  },
  workOut: async (head, startMs) => {
    const settled = await reader.settled(head)
    const candidates = [...settled, ...(await reader.provisional(head))].filter(
      (row) => hourOf(row) === startMs
    )
    const elsewhere = settled.filter((row) => hourOf(row) !== startMs)
    const kept = firstOfEach(candidates).filter(
      (row) => !elsewhere.some((other) => other.id === row.id && isBefore(other, row))
    )
    const later = elsewhere.filter((other) =>
      kept.some((row) => row.id === other.id && isBefore(row, other))
    )
    return {
      adds: await landEvents(shelf, kept, 'settled'),
      counts: { events: kept.length, merged: 0, disagreements: 0 },
      dropped: candidates.length - kept.length,
      conflicting: 0,
      again: bugs.forgetsOtherHours === true ? [] : [...new Set(later.map(hourOf))]
    }
  },
  openVersions: async (head) =>
    bugs.dropsOpenFiles === true ? new Set() : reader.openVersions(head)
})

const withBugs = (lake: Lake, { settlesThroughMore, keepsReplacedFiles }: SettleBugs): Lake => ({
  ...lake,
  commit: (build) =>
    lake.commit(async (head) => {
      const commit = await build(head)
      if (commit === null) return null
      const isHour = Object.keys(commit.state).length > 0
      if (keepsReplacedFiles === true && isHour) return { ...commit, removes: [] }
      return settlesThroughMore === true ? throughMore(commit) : commit
    })
})

const throughMore = (commit: Commit): Commit => ({
  ...commit,
  state: Object.fromEntries(
    Object.entries(commit.state).map(([key, value]) => {
      if (!key.startsWith('hour/')) return [key, value]
      const hour = value as { through: number }
      return [key, { ...hour, through: hour.through + 1 }]
    })
  )
})
