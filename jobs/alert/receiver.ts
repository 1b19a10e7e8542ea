import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A receiver of alerts on the loopback interface that fails by a script: for trials and tests. */

export type Answer =
  | { status: number; headers?: Readonly<Record<string, string>>; body?: string }
  /** Never answers. */
  | 'hang'
  /** Takes the request and cuts the connection: whether it counted is not to be known. */
  | 'cut'

export type Received = {
  path: string
  headers: IncomingHttpHeaders
  body: string
  /** What it was answered. */
  answer: Answer
}

export type Receiver = {
  url: string
  received: readonly Received[]
  /** Those that were answered with 2xx, or cut off after they were taken. */
  taken: () => Received[]
  close: () => Promise<void>
}

/** `answer` is asked for each request, counted from 0. */
export const openReceiver = async (
  answer: (index: number, received: Omit<Received, 'answer'>) => Answer
): Promise<Receiver> => {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      const one = { path: request.url ?? '', headers: request.headers, body }
      const decided = answer(received.length, one)
      received.push({ ...one, answer: decided })
      respond(response, decided)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    taken: () => received.filter(({ answer: given }) => given === 'cut' || isTaken(given)),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}

const isTaken = (answer: Answer): boolean =>
  typeof answer === 'object' && answer.status >= 200 && answer.status < 300

const respond = (response: ServerResponse, answer: Answer): void => {
  if (answer === 'hang') return
  if (answer === 'cut') {
    response.destroy()
    return
  }
  response.writeHead(answer.status, answer.headers)
  response.end(answer.body ?? '')
}
