import type { FastifyInstance, InjectOptions } from 'fastify'

/** Cases made from the OpenAPI document alone, the way a stranger's tool would make them. */

type Schema = {
  type?: string | string[]
  enum?: unknown[]
  anyOf?: Schema[]
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  minimum?: number
  maximum?: number
  maxItems?: number
  pattern?: string
  format?: string
}

type Operation = {
  parameters: { name: string; in: 'path' | 'query'; required: boolean; schema: Schema }[]
  requestBody?: { content: { 'application/json': { schema: Schema } } }
}

type Document = { paths: Record<string, Record<string, Operation>> }

export type Case = { request: string; status: number; body: string }

export type FuzzOptions = {
  inject: (options: InjectOptions) => Promise<Awaited<ReturnType<FastifyInstance['inject']>>>
  cases: number
  seed: number
  tenant: string
}

/** A small generator of pseudo-random numbers (mulberry32): the same seed gives the same cases. */
const randomOf = (seed: number) => {
  let state = seed
  return (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

type Random = () => number

const pick = <Value>(random: Random, values: readonly Value[]): Value =>
  values[Math.floor(random() * values.length)]!

/** Text that has broken a server before. */
const HOSTILE = [
  '',
  ' ',
  '0',
  '-1',
  '1e999',
  'null',
  'true',
  '__proto__',
  "' OR 1=1 --",
  "'; DROP TABLE events; --",
  '\0',
  '%00',
  '../../etc/passwd',
  '\u202e',
  '\ud800',
  '🦆',
  'a'.repeat(600),
  '[]',
  '{}',
  '${x}',
  '2026-03-02T09:00:00Z',
  '9999-12-31T23:59:59Z',
  '0001-01-01T00:00:00Z',
  'tenant:',
  'tenant!:acme',
  'model:gpt-4o',
  'zz-globex',
  'acme',
  '24h'
]

const QUERIES = [
  'SELECT 1',
  'SELECT tenant, count(*) FROM events GROUP BY 1',
  'FROM windows LIMIT 3',
  'SELECT name::INTEGER FROM events',
  'SELEC',
  'SELECT * FROM nothing'
]

/** Runs cases one after the other; `check` sees each. */
export const runCases = async (
  { inject, cases, seed, tenant }: FuzzOptions,
  check: (one: Case) => void
): Promise<{ cases: number; answered: number; refused: number }> => {
  const random = randomOf(seed)
  const { paths } = (await inject({ url: '/openapi.json' })).json<Document>()
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation }))
  )
  const seen = { cases: 0, answered: 0, refused: 0 }
  for (; seen.cases < cases; seen.cases++) {
    const options = caseOf(random, pick(random, operations))
    const { statusCode, payload } = await inject({
      ...options,
      headers: { 'x-test-tenant': tenant }
    })
    check({ request: JSON.stringify(options), status: statusCode, body: payload })
    if (statusCode < 400) seen.answered++
    else seen.refused++
  }
  return seen
}

type Place = { path: string; method: string; operation: Operation }

const caseOf = (random: Random, { path, method, operation }: Place): InjectOptions => {
  let url = path
  const query = new URLSearchParams()
  for (const { name, in: place, required, schema } of operation.parameters) {
    if (place === 'path') url = url.replace(`{${name}}`, encoded(valueOf(random, schema)))
    // Most parameters are left out most of the time, so that some requests are right as a whole.
    else if (required || random() < 0.25) {
      const values =
        random() < 0.1
          ? [valueOf(random, schema), valueOf(random, schema)]
          : [valueOf(random, schema)]
      for (const value of values) query.append(name, value)
    }
  }
  if (random() < 0.05) query.append(pick(random, HOSTILE), pick(random, HOSTILE))
  const text = query.toString()
  const body = operation.requestBody?.content['application/json'].schema
  return {
    method: method.toUpperCase() as 'GET',
    url: text === '' ? url : `${url}?${text}`,
    ...(body === undefined ? {} : { payload: bodyOf(random, body) as object })
  }
}

/** Half a surrogate can not be written in a URL at all. */
const encoded = (text: string): string => encodeURIComponent(text.replaceAll('\ud800', '') || 'x')

/** A value as a parameter carries it: mostly one that the schema describes. */
const valueOf = (random: Random, schema: Schema): string => {
  if (random() < 0.25) return pick(random, HOSTILE)
  if (schema.enum !== undefined) return String(pick(random, schema.enum))
  if (schema.anyOf !== undefined) return valueOf(random, pick(random, schema.anyOf))
  if (schema.items !== undefined) return valueOf(random, schema.items)
  if (schema.type === 'integer' || schema.type === 'number') return String(numberOf(random, schema))
  if (schema.format === 'date-time') return new Date(1.7e12 + random() * 1e11).toISOString()
  if (schema.pattern?.includes('mhdw') === true)
    return `${1 + Math.floor(random() * 99)}${pick(random, ['m', 'h', 'd', 'w'])}`
  if (schema.pattern?.startsWith('^20') === true)
    return pick(random, ['2026-03', '2026-02', '2099-12'])
  return pick(random, [...HOSTILE, 'f-acme', 'acme-trace-1', 'cache-thrash', 'tenant:acme'])
}

const numberOf = (random: Random, { minimum = -10, maximum = 10_000 }: Schema): number =>
  Math.floor(minimum + random() * (Math.min(maximum, 10_000) - minimum + 1))

const bodyOf = (random: Random, { properties = {}, required = [] }: Schema): unknown => {
  if (random() < 0.1) return pick(random, [[], 'text', 1, { x: 1 }, {}])
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, schema]) => {
      if (!required.includes(name) && random() < 0.5) return []
      if (name === 'query') return [[name, pick(random, [...QUERIES, ...HOSTILE])]]
      const isNumber = schema.type === 'integer' && random() < 0.8
      return [[name, isNumber ? numberOf(random, schema) : valueOf(random, schema)]]
    })
  )
}
