import { readFile } from 'node:fs/promises'
import type { Engine } from '../../services/lake/engine.ts'
import type { Lake } from '../../services/lake/lake.ts'
import type { EventLog } from '../../services/stream/log.ts'
import type { AlertConfig } from './config.ts'
import { waitByTimer } from './delivery/lane.ts'
import type { LaneObserver } from './delivery/lane-doors.ts'
import { coverageReader } from './incidents/coverage.ts'
import { openAlertJob, type AlertJob } from './job.ts'
import { openLakeStore } from './lake-store.ts'
import { loadChannels } from './load-channels.ts'
import type { AlertStore } from './store.ts'

export type AlertSite = {
  lake: Lake
  engine: Engine
  generation: string
  /** For channels that write to it; null where there is none. */
  log: EventLog | null
  /** Event time up to which detection has folded, from the lake's state. */
  watermarkMs: (state: ReadonlyMap<string, unknown>) => number | null
  clock: () => Date
  random: () => number
}

/** The store of the alert job on a lake. */
export const openSiteStore = (site: AlertSite): AlertStore =>
  openLakeStore({ ...site, coverage: coverageReader(site, site.clock) })

/** The alert job with the real world around it. */
export const openAlerts = async (
  site: AlertSite,
  config: AlertConfig,
  observer: LaneObserver
): Promise<AlertJob> =>
  openAlertJob({
    config,
    kinds: await loadChannels(),
    generation: site.generation,
    doors: {
      store: openSiteStore(site),
      clock: site.clock,
      random: site.random,
      wait: waitByTimer,
      observer
    },
    channelDoors: channelDoors(site)
  })

/** What channels get of the world. */
export const channelDoors = ({ clock, log }: Pick<AlertSite, 'clock' | 'log'>) => ({
  fetch,
  clock,
  readSecret: (file: string) => readFile(file, 'utf8'),
  log
})
