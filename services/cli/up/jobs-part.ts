import type { Logger } from 'pino'
import type { AlertConfig } from '../../../jobs/alert/config.ts'
import { scheduleJobs, type Job } from '../../../jobs/schedule.ts'
import { Failure } from '../../../schemas/failure.ts'
import { startThread } from '../../consume/thread.ts'
import { WorkerCaller, type Remote } from '../../consume/worker-call.ts'
import type { SiteOptions } from '../site.ts'
import type { Jobs, JobsSettings } from './jobs-site.ts'
import type { MoneySettings } from './money-jobs.ts'
import type { Part } from './parts.ts'

export type JobsDoors = {
  place: SiteOptions
  alerts: AlertConfig
  meters: readonly string[]
  money: MoneySettings
  logger: Logger
}

export type JobsPart = Part & {
  /** There is news in the lake. */
  poke: () => void
  metrics: () => Promise<string>
}

/** Times of the jobs, UTC. They are only pokes; see `jobs/schedule.ts`. */
const TIMES = {
  // Below the pace at which minutes close, above what an idle look costs.
  watch: '*/5 * * * * *',
  // An hour closes seventy minutes after its end: a few more do no harm.
  settle: '0 */5 * * * *',
  // As often as Prometheus asks at most; windows of measured energy are ten seconds.
  scrape: '*/10 * * * * *',
  // Splits the days again that changed, late calls included.
  meter: '30 7-59/15 * * * *',
  // Budgets are looked at every quarter of an hour of event time, which may come late.
  budgets: '10-59/20 * * * * *',
  // Settling pokes it as well: a day is booked when its last hour is settled.
  book: '0 20 * * * *',
  merge: '0 23 * * * *',
  retain: '0 41 3 * * *',
  calibrate: '0 13 4 * * *'
} as const

/** Runs the jobs in a thread of their own: their queries must not delay a heartbeat or a request. */
export const startJobs = async (doors: JobsDoors): Promise<JobsPart> => {
  const { place, alerts, meters, money, logger } = doors
  const settings: JobsSettings = { place, alerts, meters, money, logLevel: logger.level }
  const worker = startThread(new URL('jobs-worker', import.meta.url).href, settings)
  const jobs = remoteJobs(new WorkerCaller(worker))
  const failed = new AbortController()
  const poke = (job: string): void => scheduled.poke(job)
  const scheduled = scheduleJobs(jobList(jobs, doors, poke), (job, error) => {
    if (error instanceof Failure && error.retriable) {
      logger.warn({ job, code: error.code, hint: error.hint }, `put off: ${error.message}`)
    } else {
      failed.abort(error)
    }
  })
  scheduled.poke('watch')
  return {
    name: 'the thread of jobs',
    poke: () => scheduled.poke('watch'),
    metrics: () => jobs.metrics(),
    ended: Promise.race([jobs.ended(), failure(failed.signal)]),
    stop: async () => {
      try {
        await scheduled.stop()
        await jobs.close()
      } finally {
        await worker.terminate()
      }
    }
  }
}

/** What may have been due for long when the lease of the jobs is taken, at the start or after a kill. */
const OVERDUE = ['settle', 'meter', 'book'] as const

/** Looks every few seconds, and so notices that the lease was taken. */
const watchJob = (jobs: Remote<Jobs>, poke: (job: string) => void): Job => {
  let leads = false
  return {
    name: 'watch',
    cron: TIMES.watch,
    run: async () => {
      const led = leads
      leads = (await jobs.watch()) !== null
      if (leads && !led) for (const job of OVERDUE) poke(job)
    }
  }
}

const jobList = (
  jobs: Remote<Jobs>,
  { meters, money }: JobsDoors,
  poke: (job: string) => void
): Job[] => [
  watchJob(jobs, poke),
  {
    name: 'settle',
    cron: TIMES.settle,
    run: async () => {
      const hours = await jobs.settle()
      if (hours !== null && hours > 0) poke('book')
    }
  },
  ...(meters.length > 0 ? [{ name: 'scrape', cron: TIMES.scrape, run: () => jobs.scrape() }] : []),
  { name: 'meter', cron: TIMES.meter, run: () => jobs.meter() },
  ...(money.budgets.length > 0
    ? [{ name: 'budgets', cron: TIMES.budgets, run: () => jobs.budgets() }]
    : []),
  { name: 'book', cron: TIMES.book, run: () => jobs.book() },
  { name: 'merge', cron: TIMES.merge, run: () => jobs.merge() },
  { name: 'retain', cron: TIMES.retain, run: () => jobs.retain() },
  { name: 'calibrate', cron: TIMES.calibrate, run: () => jobs.calibrate() }
]

const remoteJobs = (caller: WorkerCaller): Remote<Jobs> => {
  const method = <Name extends keyof Jobs>(name: Name): Remote<Jobs>[Name] =>
    ((...args: unknown[]) => caller.call(name, args)) as Remote<Jobs>[Name]
  return {
    watch: method('watch'),
    settle: method('settle'),
    scrape: method('scrape'),
    meter: method('meter'),
    budgets: method('budgets'),
    book: method('book'),
    merge: method('merge'),
    retain: method('retain'),
    calibrate: method('calibrate'),
    metrics: method('metrics'),
    ended: method('ended'),
    close: method('close')
  }
}

const failure = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
