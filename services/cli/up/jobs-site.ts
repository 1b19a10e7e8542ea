import { pino } from 'pino'
import { Registry } from 'prom-client'
import type { AlertConfig } from '../../../jobs/alert/config.ts'
import { mergeSmallFiles } from '../../lake/merge.ts'
import type { EventLog } from '../../stream/log.ts'
import { meter } from '../../../jobs/energy/meter.ts'
import { calibrateLake } from '../../../jobs/detect/calibrate-lake.ts'
import { keepSmall, type UpkeepReport } from '../../../jobs/retain/retain.ts'
import { settle } from '../../../jobs/settle/settle.ts'
import { loadSignals } from '../../signals/load.ts'
import { attach } from '../../lake/snapshot.ts'
import { refreshCatalog } from '../../serve/catalog/catalog.ts'
import {
  eventPartitions,
  lakeFolder,
  openLakeSite,
  openLog,
  type LakeSite,
  type SiteOptions
} from '../site.ts'
import { trimEmbeddedLog } from '../trim-embedded-log.ts'
import { JOBS_LEASE, keepLease, type HeldLease } from './held-lease.ts'
import { jobsMetrics } from './jobs-metrics.ts'
import { meterReader } from './meter-reader.ts'
import { moneyJobs, type MoneySettings } from './money-jobs.ts'
import { Watch } from './watch.ts'

export type JobsSettings = {
  place: SiteOptions
  alerts: AlertConfig
  /** Addresses of GPU exporters. */
  meters: readonly string[]
  logLevel: string
  money: MoneySettings
}

/**
 * The jobs of a lake. Each returns null at once while another process holds their lease. What
 * they do is decided by what the lake holds, so calls may be doubled, late or missing.
 */
export type Jobs = {
  /** Folds closed minutes into findings, findings into incidents, and wakes the channels. */
  watch: () => Promise<number | null>
  /** Settles closed hours; how many. */
  settle: () => Promise<number | null>
  /** Asks the exporters what their GPUs drew. */
  scrape: () => Promise<void>
  /** Splits what meters say among calls; how many rows that adds. */
  meter: () => Promise<number | null>
  /** Looks at the budgets; how many findings there were. */
  budgets: () => Promise<number | null>
  /** Books settled days, and looks at months that are to be closed; how many days were booked. */
  book: () => Promise<number | null>
  /** Merges small files; how many went. */
  merge: () => Promise<number | null>
  /** Removes files that nothing refers to any more. */
  retain: () => Promise<UpkeepReport | null>
  /** Replays the last 30 days with time permuted; for how many signals. */
  calibrate: () => Promise<number | null>
  /** Metrics in Prometheus' text format. */
  metrics: () => Promise<string>
  /** Rejects when telling channels or holding the lease became impossible; resolves on `close`. */
  ended: () => Promise<void>
  /** Finishes what channels are being told. */
  close: () => Promise<void>
}

/**
 * Two doors to one lake: what watches must not wait for what settles, and views of one engine
 * belong to whoever attached them last.
 */
export const openJobs = async (settings: JobsSettings): Promise<Jobs> => {
  const { place, alerts, meters, logLevel, money } = settings
  const registry = new Registry()
  const metrics = jobsMetrics(registry)
  const logger = pino({ name: 'jobs', level: logLevel }, pino.destination(2))
  const watching = await openLakeSite(place, true)
  const upkeep = await openLakeSite(place, true)
  const log = openLog(place)
  const end = ending()
  const lease = await keepLease(lakeFolder(place), JOBS_LEASE, end.fail)
  const watch = new Watch({ site: watching, log, alerts, logger, registry, metrics, end })
  const success = (job: string): void => watch.succeeded(job)
  const reader = meterReader(meters, () => Date.now())
  return {
    ...upkeepJobs({
      upkeep,
      data: place.data,
      log,
      lease,
      success,
      unpriced: (n) => metrics.unpriced.set(n)
    }),
    ...moneyJobs({ place, lake: upkeep.lake, log, lease, success, logger, money }),
    calibrate: async () => {
      if (!lease.held()) return null
      const site = await openLakeSite(place)
      try {
        const calibrations = await calibrateLake(site, await loadSignals())
        metrics.calibrated(calibrations)
        return calibrations.length
      } finally {
        site.close()
      }
    },
    scrape: async () => {
      if (lease.held()) await reader.scrape()
    },
    meter: async () => {
      if (!lease.held()) return null
      const site = await openLakeSite(place)
      try {
        const { rows } = await reader.handOver((files) => meter(site, { files }))
        success('meter')
        return rows
      } finally {
        site.close()
      }
    },
    watch: async () => {
      if (lease.held()) return watch.step()
      await watch.rest()
      return null
    },
    metrics: () => registry.metrics(),
    ended: () => end.promise,
    close: async () => {
      if (lease.held()) await watch.save()
      await watch.rest()
      await lease.release()
      watching.close()
      upkeep.close()
      await log.close()
      end.finish()
    }
  }
}

export type Ending = { promise: Promise<void>; fail: (error: unknown) => void; finish: () => void }

const ending = (): Ending => {
  const stop = new AbortController()
  const promise = new Promise<void>((resolve, reject) => {
    const settle = (): void => {
      if (stop.signal.reason === FINISHED) resolve()
      else reject(stop.signal.reason as Error)
    }
    stop.signal.addEventListener('abort', settle, { once: true })
  })
  promise.catch(() => undefined)
  return {
    promise,
    fail: (error) => stop.abort(error),
    finish: () => stop.abort(FINISHED)
  }
}

const FINISHED = 'finished'

type UpkeepDoors = {
  upkeep: LakeSite
  /** Folder of the log and the lake. */
  data: string
  log: EventLog
  lease: HeldLease
  success: (job: string) => void
  unpriced: (events: number) => void
}

const upkeepJobs = ({
  upkeep,
  data,
  log,
  lease,
  success,
  unpriced
}: UpkeepDoors): Pick<Jobs, 'settle' | 'merge' | 'retain'> => {
  const asLeader = async <T>(job: string, work: () => Promise<T>): Promise<T | null> => {
    if (!lease.held()) return null
    const done = await work()
    success(job)
    return done
  }
  return {
    settle: () =>
      asLeader('settle', async () => {
        const nowMs = Date.now()
        const hours = await settle(upkeep, { partitions: await eventPartitions(log), nowMs })
        unpriced(await countUnpriced(upkeep, nowMs))
        await refreshCatalog(upkeep, data)
        return hours.length
      }),
    merge: () => asLeader('merge', () => mergeSmallFiles(upkeep.lake)),
    retain: () =>
      asLeader('retain', async () => {
        await trimEmbeddedLog(log, upkeep.lake, Date.now())
        return keepSmall(upkeep.lake)
      })
  }
}

const DAY_MS = 86_400_000

const countUnpriced = async (site: LakeSite, nowMs: number): Promise<number> => {
  await attach(site, await site.lake.head())
  const since = `make_timestamptz(${(nowMs - DAY_MS) * 1000}::BIGINT)`
  const [row] = await site.engine.rows(
    `SELECT sum(n_unpriced)::DOUBLE AS n FROM temp.windows WHERE window_start >= ${since}`
  )
  return Number(row?.['n'] ?? 0)
}
