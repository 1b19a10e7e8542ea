import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../../schemas/failure.ts'
import { backoffMs } from './backoff.ts'
import { deliverEvents } from './deliver-events.ts'
import { deliverStates } from './deliver-states.ts'
import type { Lane, LaneDoors, RoundReport } from './lane-doors.ts'

/**
 * One channel at work. Each has a lane of its own and keeps its own place in the outbox, so a
 * receiver that is dead or slow delays nobody else; what it misses waits in the outbox's table
 * and not in memory.
 */

/** Tells everything that waits, until nothing does or the receiver fails. */
export const drainLane = async (
  lane: Lane,
  doors: LaneDoors,
  signal: AbortSignal
): Promise<RoundReport> => {
  lane.isTelling = true
  const report = await deliver(lane, doors, signal).finally(() => (lane.isTelling = false))
  lane.attempts = report.kind === 'idle' ? 0 : lane.attempts + 1
  if (report.kind === 'retry') doors.observer.retried(lane.name, report.reason)
  return report
}

const deliver = (lane: Lane, doors: LaneDoors, signal: AbortSignal): Promise<RoundReport> =>
  lane.sender.mode === 'events'
    ? deliverEvents(lane, lane.sender, doors, signal)
    : deliverStates(lane, lane.sender, doors, signal)

/** A lake that is full or busy is one that may be well again; any other fault of it is not ours. */
const drainOrWait = async (
  lane: Lane,
  doors: LaneDoors,
  signal: AbortSignal
): Promise<RoundReport> => {
  try {
    return await drainLane(lane, doors, signal)
  } catch (error) {
    if (!(error instanceof Failure && error.retriable)) throw error
    lane.attempts++
    doors.observer.retried(lane.name, `${error.code}: ${error.message}`)
    return { kind: 'retry', reason: error.code, retryAfterMs: null }
  }
}

/** Longest rest of a lane that has nothing to do: wakes are hints, this is the guarantee. */
const REST_MS_MAX = 60_000

/** Works until the signal fires. `woken` yields a signal that fires when there is news. */
export const runLane = async (
  lane: Lane,
  doors: LaneDoors,
  stop: AbortSignal,
  woken: () => AbortSignal
): Promise<void> => {
  while (!stop.aborted) {
    const wake = woken()
    const report = await drainOrWait(lane, doors, stop)
    if (report.kind === 'retry') {
      // News does not shorten the wait: a failing receiver is left alone for as long as it needs.
      await doors.wait(backoffMs(lane.attempts, report.retryAfterMs, doors.random), stop)
    } else {
      await doors.wait(restMs(lane), AbortSignal.any([stop, wake]))
    }
  }
}

const restMs = ({ sender }: Lane): number =>
  sender.mode === 'states' ? Math.min(sender.refreshMs, REST_MS_MAX) : REST_MS_MAX

/** Waits by the process's timers. */
export const waitByTimer = async (ms: number, signal: AbortSignal): Promise<void> => {
  try {
    await sleep(ms, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
