import { parentPort, workerData } from 'node:worker_threads'
import { Failure } from '../../schemas/failure.ts'
import { answer, type Request } from './worker-call.ts'
import { openLanding, type Landing, type LandingSettings } from './landing-site.ts'

/**
 * The worker: decoding, DuckDB and the lake's commits run here, off the thread that keeps the
 * group's heartbeat. Requests are answered one after the other, so what is added before a flush is
 * in it and what is added after is not.
 */
const port = parentPort
if (port === null) throw new Failure('E_INTERNAL', 'the landing worker runs as a worker thread')

// What starts the worker is `startLanding`, whose argument has this type.
const landing = openLanding(workerData as LandingSettings)
let turn: Promise<unknown> = landing

port.on('message', (request: Request<Landing>) => {
  turn = turn.then(async () => answer(port, request, await landing))
})
