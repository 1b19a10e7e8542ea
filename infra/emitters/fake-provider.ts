import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json as readJson } from 'node:stream/consumers'
import { anthropicAnswer, chatAnswer, responsesAnswer, type Answer, type Asked } from './answers.ts'

/** A provider on this machine, for tests with real SDKs: fixed answers in the real shapes. */
export type FakeProvider = {
  url: string
  /** Calls that were answered with 200. */
  served: number
  close: () => Promise<void>
}

/** Asked for this model, it is overloaded. */
export const OVERLOADED_MODEL = 'overloaded'

const ANSWERS: readonly (readonly [string, (asked: Asked, id: string) => Answer])[] = [
  ['/chat/completions', chatAnswer],
  ['/responses', responsesAnswer],
  ['/messages', anthropicAnswer]
]

export const startFakeProvider = async (): Promise<FakeProvider> => {
  const fake = { url: '', served: 0, close: async () => undefined as void }
  const server = createServer((request, response) => {
    answer(request, response, () => ++fake.served).catch((error: unknown) =>
      response.destroy(error instanceof Error ? error : new Error(String(error)))
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  fake.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  fake.close = () =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return fake
}

const answer = async (
  request: IncomingMessage,
  response: ServerResponse,
  count: () => number
): Promise<void> => {
  const asked = (await readJson(request)) as Asked
  const make = ANSWERS.find(([path]) => request.url?.split('?')[0]?.endsWith(path))?.[1]
  if (make === undefined) return void response.writeHead(404).end()
  if (asked.model === OVERLOADED_MODEL) {
    const error = { type: 'rate_limit_error', message: 'too much at once' }
    response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '0' })
    return void response.end(JSON.stringify({ type: 'error', error }))
  }
  const number = count()
  const id = createHash('sha256').update(`answer ${number}`).digest('hex').slice(0, 24)
  const { body, events } = make(asked, id)
  const headers = { 'x-request-id': `req_${id}`, 'request-id': `req_${id}` }
  if (asked.stream !== true) {
    response.writeHead(200, { ...headers, 'content-type': 'application/json' })
    return void response.end(JSON.stringify(body))
  }
  response.writeHead(200, { ...headers, 'content-type': 'text/event-stream' })
  for (const event of events) response.write(event)
  response.end()
}
