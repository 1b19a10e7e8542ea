import type { z } from 'zod'
import type { Desk } from './desk.ts'

export const SITES = ['answers', 'queries'] as const
export type SiteName = (typeof SITES)[number]

/** An answer that is not JSON. */
export type Document = { mediaType: string; body: string | Uint8Array; fileName?: string }

/**
 * The socket for questions: one file in `routes/` with a default export of `defineRoute`. Its
 * schemas check what comes in, make the OpenAPI document, and give the types. What was given in
 * path, query and body comes in one object: names are unique within a route.
 */
export type RouteDefinition<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodObject,
  Result extends z.ZodType
> = {
  method: 'get' | 'post'
  /** With parameters in braces, as OpenAPI writes them: `/v1/tenants/{tenant}`. */
  path: string
  summary: string
  /** What the key must allow. */
  scope: 'read' | 'admin'
  /** Where it is answered: queries of users must not hold up dashboards. */
  site?: SiteName
  params?: Params
  query?: Query
  body?: Body
  /** What the answer may come as; JSON where nothing is said. */
  mediaTypes?: readonly string[]
  result: Result
  answer: (
    desk: Desk,
    input: z.output<Params> & z.output<Query> & z.output<Body>
  ) => Promise<z.input<Result> | Document>
}

export type Route = {
  method: 'get' | 'post'
  path: string
  summary: string
  /** `open` needs no key and reads no lake. */
  scope: 'open' | 'read' | 'admin'
  site?: SiteName
  params?: z.ZodObject
  query?: z.ZodObject
  body?: z.ZodObject
  mediaTypes?: readonly string[]
  result: z.ZodType
  /** The desk is null for routes that are open. */
  answer: (desk: Desk | null, input: Record<string, unknown>) => Promise<unknown>
}

/** Closes over the types of what comes in, so that whoever serves routes need not know them. */
export const defineRoute = <
  Result extends z.ZodType,
  Params extends z.ZodObject = z.ZodObject<Record<never, never>>,
  Query extends z.ZodObject = z.ZodObject<Record<never, never>>,
  Body extends z.ZodObject = z.ZodObject<Record<never, never>>
>(
  definition: RouteDefinition<Params, Query, Body, Result>
): Route => ({
  ...definition,
  // What comes in was checked by the schemas that give the type.
  answer: (desk, input) => definition.answer(desk!, input as never)
})

/** A route that needs no key: it holds nothing of anybody. */
export const defineOpenRoute = <
  Result extends z.ZodType,
  Params extends z.ZodObject = z.ZodObject<Record<never, never>>
>(definition: {
  path: string
  summary: string
  params?: Params
  mediaTypes?: readonly string[]
  result: Result
  answer: (input: z.output<Params>) => Promise<z.input<Result> | Document>
}): Route => ({
  ...definition,
  method: 'get',
  scope: 'open',
  answer: (_desk, input) => definition.answer(input as never)
})

export type LoadedRoute = Route & { id: string }
