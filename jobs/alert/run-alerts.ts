import type { Logger } from 'pino'
import { Failure } from '../../schemas/failure.ts'
import { scheduleJobs } from '../schedule.ts'
import type { LaneObserver } from './delivery/lane-doors.ts'
import type { AlertJob } from './job.ts'

/** Every five seconds: below the pace at which minutes close, above what an idle look costs. */
const POKE_CRON = '*/5 * * * * *'

/** Runs the alert job until the signal fires or the lake fails. */
export const runAlerts = async (job: AlertJob, signal: AbortSignal): Promise<void> => {
  const ended = new AbortController()
  const stop = AbortSignal.any([signal, ended.signal])
  let failure: unknown = null
  const scheduled = scheduleJobs(
    [{ name: 'alert', cron: POKE_CRON, run: () => job.poke() }],
    (_, error) => {
      // The next poke tries again what a full disk or a busy lake kept from being done.
      if (error instanceof Failure && error.retriable) return
      failure ??= error
      ended.abort()
    }
  )
  scheduled.poke('alert')
  try {
    await job.run(stop)
  } finally {
    await scheduled.stop()
  }
  if (failure !== null) throw failure
}

/** What lanes do, as log lines. */
export const logLanes = (logger: Logger): LaneObserver => ({
  delivered: (channel, count) => logger.info({ channel, count }, 'told'),
  retried: (channel, reason) => logger.warn({ channel, reason }, 'not told, will try again'),
  parked: (channel, failure: Failure) =>
    logger.error({ channel, code: failure.code }, failure.message),
  pending: () => undefined
})
