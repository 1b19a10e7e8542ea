import { z } from 'zod'
import { FAILURES } from '../../../schemas/failure.ts'
import { PROBLEM_TYPE } from '../../../schemas/problem.ts'
import type { LoadedRoute } from '../route.ts'

/** The OpenAPI 3.1 document of the routes, out of the schemas that check them. */
export const openApiDocument = (routes: readonly LoadedRoute[], version: string): object => ({
  openapi: '3.1.0',
  info: {
    title: 'Tallystream',
    version,
    description:
      'Reads the meter of LLM usage. Events are sent to POST /v1/events and the paths of other dialects.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' }
  },
  servers: [{ url: '/' }],
  security: [{ key: [] }],
  paths: pathsOf(routes),
  components: {
    securitySchemes: {
      key: { type: 'http', scheme: 'bearer', description: 'A key with the scope read or admin.' }
    },
    schemas: { Problem: PROBLEM }
  }
})

const PROBLEM = {
  type: 'object',
  description: 'What went wrong, RFC 9457.',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { enum: Object.keys(FAILURES) },
    hint: { type: 'string' }
  }
}

const pathsOf = (routes: readonly LoadedRoute[]): Record<string, Record<string, object>> => {
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method]: operation(route) }
  }
  return paths
}

const operation = (route: LoadedRoute): object => ({
  operationId: route.id,
  summary: route.summary,
  ...(route.scope === 'open' ? { security: [] } : {}),
  parameters: [...parameters(route.params, 'path'), ...parameters(route.query, 'query')],
  ...(route.body === undefined
    ? {}
    : {
        requestBody: {
          required: true,
          content: { 'application/json': { schema: jsonSchema(route.body, 'input') } }
        }
      }),
  responses: {
    200: {
      description: 'The answer.',
      headers: { etag: { schema: { type: 'string' } } },
      content: contentOf(route)
    },
    ...(route.method === 'get' ? { 304: { description: 'The answer is the one known.' } } : {}),
    ...problems(route)
  }
})

const contentOf = ({ mediaTypes, result }: LoadedRoute): object =>
  mediaTypes === undefined
    ? { 'application/json': { schema: jsonSchema(result, 'output') } }
    : Object.fromEntries(
        mediaTypes.map((type) => [
          type,
          {
            schema: type === 'application/json' ? jsonSchema(result, 'output') : { type: 'string' }
          }
        ])
      )

/** Statuses by what a route can refuse. */
const problems = ({ scope, path, body }: LoadedRoute): Record<string, object> => {
  const statuses = [
    '400',
    ...(scope === 'open' ? [] : ['401', '403']),
    ...(path.includes('{') ? ['404'] : []),
    ...(body === undefined ? [] : ['413', '415', '422']),
    '429',
    '503'
  ]
  const content = { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } }
  return Object.fromEntries(
    statuses.map((status) => [status, { description: 'Refused.', content }])
  )
}

type JsonSchema = Record<string, unknown>

const parameters = (schema: z.ZodObject | undefined, place: 'path' | 'query'): object[] => {
  if (schema === undefined) return []
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as {
    properties?: Record<string, JsonSchema>
    required?: string[]
  }
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest
  }))
}

const jsonSchema = (schema: z.ZodType, io: 'input' | 'output'): JsonSchema => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}
