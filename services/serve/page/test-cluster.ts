import { pino } from 'pino'
import { runServe } from '../../cli/up/serve.ts'

/** A server of the page and something to show, for tests. */

const logger = pino({ level: 'silent' })

export type Served = { url: string; stop: () => Promise<void> }

export const serve = async (data: string, keyFile: string | null = null): Promise<Served> => {
  const stopping = new AbortController()
  let running = Promise.resolve()
  const url = await new Promise<string>((started, fail) => {
    const options = { place: { data }, host: '127.0.0.1', port: 0, keyFile }
    const doors = { logger, now: () => new Date(), started }
    running = runServe(options, doors, stopping.signal)
    running.catch(fail)
  })
  return {
    url,
    stop: async () => {
      stopping.abort()
      await running
    }
  }
}

/** An agent whose tool is tried twice; the second time calls the agent again. */
export const trace = (): object[] => {
  const startMs = Date.now()
  const step = (id: string, parent: string | null, kind: string, name: string): object => ({
    id,
    time: new Date(startMs + Number(id.slice(1)) * 10).toISOString(),
    tenant: 'acme',
    kind,
    name,
    trace_id: 'trace-1',
    span_id: id,
    ...(parent === null ? {} : { parent_span_id: parent }),
    duration_ms: 100
  })
  const attempt = { operation_id: 'search-1' }
  return [
    step('s0', null, 'agent', 'planner'),
    { ...step('s1', 's0', 'tool', 'search'), ...attempt, attempt: 1, status: 500 },
    { ...step('s2', 's0', 'tool', 'search'), ...attempt, attempt: 2 },
    step('s3', 's2', 'agent', 'planner')
  ]
}
