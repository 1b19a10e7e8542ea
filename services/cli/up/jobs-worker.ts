import { parentPort, workerData } from 'node:worker_threads'
import { Failure } from '../../../schemas/failure.ts'
import { answer, type Request } from '../../consume/worker-call.ts'
import { openJobs, type Jobs, type JobsSettings } from './jobs-site.ts'

/**
 * The worker of the jobs. Requests are answered as they come, not one after the other: whoever
 * pokes sees to it that a job runs once at a time.
 */
const port = parentPort
if (port === null) throw new Failure('E_INTERNAL', 'the jobs run as a worker thread')

// What starts the worker is `startJobs`, whose argument has this type.
const jobs = openJobs(workerData as JobsSettings)
// Each request hears of it; until the first one comes it is not unhandled.
jobs.catch(() => undefined)

port.on('message', (request: Request<Jobs>) => {
  void opened(request).then((target) => answer(port, request, target))
})

const opened = async ({ method }: Request<Jobs>): Promise<Jobs> => {
  try {
    return await jobs
  } catch (error) {
    return { [method]: () => Promise.reject(error) } as unknown as Jobs
  }
}
