import type { AlertConfig } from './config.ts'
import { checkEntries } from './config.ts'
import type { ChannelDoors } from './channel.ts'
import { drainLane, runLane } from './delivery/lane.ts'
import type { Lane, LaneDoors, RoundReport } from './delivery/lane-doors.ts'
import { laneKey, readLane, type LaneState } from './delivery/lane-state.ts'
import { INHIBITIONS } from './incidents/inhibition.ts'
import { linkBook } from './links.ts'
import type { LoadedChannel } from './load-channels.ts'
import { readFold, stepFold, type StepOptions, type StepReport } from './step.ts'

/**
 * The alert job: folds findings into incidents and tells channels. Whoever runs it pokes it; how
 * often changes nothing but the delay, since its work is what the lake holds and it has not done.
 */
export type AlertJob = {
  /** Folds what is new and wakes the channels. */
  poke: () => Promise<StepReport>
  /** Whether some channel is being told now. */
  isTelling: () => boolean
  /** Tells until nothing waits or a receiver fails; what became of each channel. */
  drain: (signal: AbortSignal) => Promise<Map<string, RoundReport>>
  /** Keeps telling until the signal fires. Rejects when the lake fails: the process must end. */
  run: (signal: AbortSignal) => Promise<void>
}

export type AlertJobOptions = {
  config: AlertConfig
  kinds: ReadonlyMap<string, LoadedChannel>
  generation: string
  doors: Omit<LaneDoors, 'links'>
  channelDoors: ChannelDoors
}

export const openAlertJob = async (options: AlertJobOptions): Promise<AlertJob> => {
  const { config, kinds, channelDoors } = options
  const doors: LaneDoors = { ...options.doors, links: linkBook(config.page_url) }
  const lanes = checkEntries(config, kinds).map(({ name, kind, options: entry }): Lane => {
    const channel = kinds.get(kind)!
    const sender = channel.open(entry, channelDoors)
    return { name, sender, isTelling: false, attempts: 0, reached: 0, unsaved: [] }
  })
  await registerLanes(lanes, doors)
  const step = stepOptions(options)
  let wake = new AbortController()
  return {
    poke: async () => {
      const report = await stepFold(doors.store, step)
      if (report.notices > 0) {
        wake.abort()
        wake = new AbortController()
      }
      return report
    },
    isTelling: () => lanes.some((lane) => lane.isTelling),
    drain: async (signal) => {
      const reports = await Promise.all(lanes.map((lane) => drainLane(lane, doors, signal)))
      return new Map(lanes.map(({ name }, index) => [name, reports[index]!]))
    },
    run: (signal) => runLanes(lanes, doors, { signal, woken: () => wake.signal })
  }
}

const stepOptions = ({ config, generation, doors }: AlertJobOptions): StepOptions => ({
  settings: { budgetPerTenantDay: config.budget_per_tenant_day, inhibitions: INHIBITIONS },
  generation,
  clock: doors.clock,
  watchSilence: config.watch_silence
})

type Running = { signal: AbortSignal; woken: () => AbortSignal }

/** A lane that fails stops the others, so that the process can end and start again. */
const runLanes = async (
  lanes: readonly Lane[],
  doors: LaneDoors,
  { signal, woken }: Running
): Promise<void> => {
  if (lanes.length === 0) return waitUntil(signal)
  const failed = new AbortController()
  const stop = AbortSignal.any([signal, failed.signal])
  const results = await Promise.allSettled(
    lanes.map(async (lane) => {
      try {
        await runLane(lane, doors, stop, woken)
      } catch (error) {
        failed.abort()
        throw error
      }
    })
  )
  const failure = results.find((result) => result.status === 'rejected')
  if (failure !== undefined) throw failure.reason
}

/** Without channels there is nothing to tell, but incidents are folded all the same. */
const waitUntil = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

/**
 * Gives new channels their place before anything is folded: they hear what happens from now on,
 * and on a fresh lake that is everything.
 */
const registerLanes = async (lanes: readonly Lane[], { store }: LaneDoors): Promise<void> => {
  await store.commit((state) => {
    const missing = lanes.filter(({ name }) => readLane(state, name) === null)
    if (missing.length === 0) return null
    const place: LaneState = {
      delivered: readFold(state).nextNumber - 1,
      parked: [],
      parkedTotal: 0
    }
    return { state: Object.fromEntries(missing.map(({ name }) => [laneKey(name), place])) }
  })
}
