import { FOLDED_UNTIL_KEY, foldedUntilMs, foldRows } from '../../jobs/detect/detect.ts'
import { FoldSteps, STEPS_KEY } from '../../jobs/detect/fold-steps.ts'
import { closedUntil, minuteOf } from '../../jobs/detect/watermark.ts'
import type { Commit, Head } from '../../services/lake/commit.ts'
import type { Lake } from '../../services/lake/lake.ts'
import type { LoadedSignal } from '../../services/signals/load.ts'
import { isLanded } from './consumer.ts'
import { detectRows } from './detect-rows.ts'
import { TableReader } from './rows.ts'
import type { Actor, Turn } from './scheduler.ts'
import { orAgain, pause, positionsOf } from './settler.ts'
import { TALLIES } from './tally-fold.ts'
import { openSimLake, type World } from './world.ts'

/** Promises that detection breaks, for planted bugs. */
export type DetectBugs = {
  findsBeforeItCommits?: boolean
  forgetsSteps?: boolean
  forgetsParts?: boolean
  savesOldStates?: boolean
  isNotFenced?: boolean
}

/** States are written now and then and not all at once, so that steps have to be folded again. */
const POLICY = { smallBytesMax: 0, largeAgeMs: 20 * 60_000 }

/**
 * A detector process: the product's steps, commits and restarts over a fold in plain code. Two may
 * run, as where a lease was lost; each goes on until every closed minute is folded.
 */
export const runDetector = async (world: World, turn: Turn, actor: Actor): Promise<void> => {
  const { bugs } = world
  const lake = await openSimLake(world, turn)
  const shelf = { lake, disk: world.disk.door(turn) }
  const rows = detectRows(shelf, new TableReader(lake), bugs)
  const signals = TALLIES.map((id) => ({ id }) as LoadedSignal)
  // A minute of any size is folded in parts where there is time for it.
  const options = { signals, generation: 'sim', snapshotPolicy: POLICY, aheadRows: 1 }
  const detector = foldRows(withBugs(lake, bugs), rows, options)
  const log = world.log.door(turn)
  const partitions = async () =>
    (await log.partitions(world.log.topic)).map((state) => ({ ...state, topic: world.log.topic }))
  for (;;) {
    await pause(world, turn, actor)
    const isLast = world.isAtRest
    await orAgain(() => detector.step({ partitions, nowMs: world.nowMs() }))
    if (world.random.uniform() < 0.1) await orAgain(() => detector.save())
    if (isLast && (await isFolded(world, lake, await partitions()))) return
  }
}

type Partitions = Parameters<typeof closedUntil>[1]

const isFolded = async (world: World, lake: Lake, partitions: Partitions): Promise<boolean> => {
  const head = await lake.head()
  if (!isLanded(positionsOf(head), partitions)) return false
  const untilMs = closedUntil(head, partitions, world.nowMs())
  return untilMs === null || (foldedUntilMs(head.state) ?? -Infinity) >= untilMs
}

const withBugs = (lake: Lake, bugs: DetectBugs): Lake => {
  let seen: Head | null = null
  return {
    ...lake,
    head: async () => (seen = await lake.head()),
    commit: async (build) => {
      const asked = async (head: Head): Promise<Commit | null> => {
        const commit = await build(
          bugs.isNotFenced === true && seen !== null ? unmoved(head, seen) : head
        )
        const isKept = bugs.forgetsSteps !== true && bugs.forgetsParts !== true
        if (commit === null || isKept) return commit
        const steps = FoldSteps.parse(commit.state[STEPS_KEY] ?? [])
        const left = steps.filter((step) => bugs.forgetsSteps !== true && isWhole(step))
        return { ...commit, state: { ...commit.state, [STEPS_KEY]: left } }
      }
      return bugs.findsBeforeItCommits === true ? inTwo(lake, asked) : lake.commit(asked)
    }
  }
}

const isWhole = ({ untilMs }: { untilMs: number }): boolean => untilMs === minuteOf(untilMs)

/** A head in which nobody else has folded. */
const unmoved = (head: Head, seen: Head): Head => {
  const state = new Map(head.state)
  for (const key of [FOLDED_UNTIL_KEY, STEPS_KEY]) state.set(key, seen.state.get(key) ?? null)
  return { ...head, state }
}

/** Findings go out in a commit of their own, and the place of the fold only behind them. */
const inTwo = async (
  lake: Lake,
  build: (head: Head) => Promise<Commit | null>
): Promise<number | null> => {
  let rest: Commit | null = null
  await lake.commit(async (head) => {
    const commit = await build(head)
    if (commit === null) return null
    const { 'incidents/next': next, ...state } = commit.state
    const adds = commit.adds.filter(({ table }) => table === 'findings')
    rest = { ...commit, adds: commit.adds.filter((file) => !adds.includes(file)), state }
    return {
      ...commit,
      adds,
      removes: [],
      state: next === undefined ? {} : { 'incidents/next': next }
    }
  })
  return lake.commit(() => rest)
}
