import { parentPort } from 'node:worker_threads'
import { Failure } from '../../schemas/failure.ts'
import { answer, type Request } from '../../services/consume/worker-call.ts'
import { simulate } from './simulate.ts'

/** A thread of the crew: plays one world after the other. */
const port = parentPort
if (port === null) throw new Failure('E_INTERNAL', 'worlds of a crew are played in threads')

export const player = { simulate }
export type Player = typeof player

port.on('message', (request: Request<Player>) => void answer(port, request, player))
