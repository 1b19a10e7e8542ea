import { parentPort, workerData } from 'node:worker_threads'
import { Failure } from '../../../schemas/failure.ts'
import { answer, type Request } from '../../consume/worker-call.ts'
import { openServeSite, type ServeSettings, type ServeSite } from '../../serve/site.ts'

/** The worker that answers the API's questions. */
const port = parentPort
if (port === null) throw new Failure('E_INTERNAL', 'the API answers in a worker thread')

// What starts the worker is `startServe`, whose argument has this type.
const settings = workerData as ServeSettings
let site: Promise<ServeSite> | null = null

port.on('message', (request: Request<ServeSite>) => {
  void opened(request).then((target) => answer(port, request, target))
})

/** A lake that is not there yet may be there at the next question. */
const opened = async ({ method }: Request<ServeSite>): Promise<ServeSite> => {
  try {
    return await (site ??= openServeSite(settings))
  } catch (error) {
    site = null
    return { [method]: () => Promise.reject(error) } as unknown as ServeSite
  }
}
