import type { Logger } from 'pino'
import type { Gauge, Registry } from 'prom-client'
import type { AlertConfig } from '../../../jobs/alert/config.ts'
import type { AlertJob } from '../../../jobs/alert/job.ts'
import { alertMetrics, type AlertMetrics } from '../../../jobs/alert/metrics.ts'
import { openAlerts } from '../../../jobs/alert/open.ts'
import { logLanes } from '../../../jobs/alert/run-alerts.ts'
import { readFold } from '../../../jobs/alert/step.ts'
import { foldedUntilMs, openDetector, type Detector } from '../../../jobs/detect/detect.ts'
import { loadSignals } from '../../signals/load.ts'
import type { EventLog } from '../../stream/log.ts'
import { eventPartitions, type LakeSite } from '../site.ts'
import type { JobsMetrics } from './jobs-metrics.ts'
import type { Ending } from './jobs-site.ts'

export type WatchDoors = {
  site: LakeSite
  /** For partitions' ends, and for channels that write to it. */
  log: EventLog
  alerts: AlertConfig
  logger: Logger
  registry: Registry
  metrics: JobsMetrics
  end: Ending
}

/** Detection and alerts: they go on together while this process leads, and rest while it does not. */
export class Watch {
  readonly #doors: WatchDoors
  readonly #alertMetrics: AlertMetrics
  readonly #success: Gauge
  #detector: Detector | null = null
  #lanes: Lanes | null = null

  constructor(doors: WatchDoors) {
    this.#doors = doors
    this.#alertMetrics = alertMetrics(doors.registry)
    // One gauge for all jobs: the alerts' metrics own it.
    this.#success = doors.registry.getSingleMetric(SUCCESS) as Gauge
  }

  /** Folds what has closed and wakes the channels. @returns how many findings there were. */
  async step(): Promise<number> {
    const { site, log, metrics } = this.#doors
    // Lanes get their place in the outbox before anything is found that they have to tell.
    this.#lanes ??= await this.#openLanes()
    this.#detector ??= openDetector(site, {
      signals: await loadSignals(),
      generation: site.generation
    })
    const partitions = () => eventPartitions(log)
    const isTelling = this.#lanes.job.isTelling()
    const findings = await this.#detector.step({ partitions, nowMs: Date.now(), isTelling })
    metrics.found(findings.length)
    this.succeeded('detect')
    await this.#lanes.job.poke()
    const head = await site.lake.head()
    metrics.looked(head)
    this.#alertMetrics.folded(readFold(head.state), new Date())
    return findings.length
  }

  succeeded(job: string): void {
    this.#success.set({ task: job }, Date.now() / MS_PER_S)
  }

  /** Writes down what detection remembers, so that the next process need not fold again. */
  async save(): Promise<void> {
    await this.#detector?.save()
  }

  /** Ends telling after what is under way. */
  async rest(): Promise<void> {
    const lanes = this.#lanes
    this.#lanes = null
    await lanes?.stop()
  }

  async #openLanes(): Promise<Lanes> {
    const { alerts, logger, end } = this.#doors
    const job = await openAlerts(this.#alertSite(), alerts, this.#observer(logger))
    const stopping = new AbortController()
    const running = job.run(stopping.signal)
    running.catch(end.fail)
    return {
      job,
      stop: async () => {
        stopping.abort()
        await running
      }
    }
  }

  #alertSite() {
    const { site, log } = this.#doors
    return {
      ...site,
      log,
      watermarkMs: foldedUntilMs,
      clock: () => new Date(),
      random: Math.random
    }
  }

  #observer(logger: Logger): AlertMetrics['observer'] {
    const lines = logLanes(logger)
    const { observer } = this.#alertMetrics
    return {
      delivered: (channel, count) => {
        lines.delivered(channel, count)
        observer.delivered(channel, count)
      },
      retried: (channel, reason) => {
        lines.retried(channel, reason)
        observer.retried(channel, reason)
      },
      parked: (channel, failure) => {
        lines.parked(channel, failure)
        observer.parked(channel, failure)
      },
      pending: (channel, count) => observer.pending(channel, count)
    }
  }
}

type Lanes = { job: AlertJob; stop: () => Promise<void> }

const SUCCESS = 'tally_last_success_timestamp_seconds'
const MS_PER_S = 1_000
