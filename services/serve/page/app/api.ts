/** The one way to the API. The key is kept for this tab alone. */

const KEY = 'tally-key'

export type Problem = { status: number; title: string; detail: string; code: string; hint?: string }
export type Params = Record<string, string | readonly string[] | undefined>

/** A refusal, as problem+json tells it. */
export class ApiError extends Error {
  readonly problem: Problem
  constructor(problem: Problem) {
    super(problem.detail)
    this.problem = problem
  }
}

export const keepKey = (key: string): void => sessionStorage.setItem(KEY, key)
export const forgetKey = (): void => sessionStorage.removeItem(KEY)
export const hasKey = (): boolean => sessionStorage.getItem(KEY) !== null

/** @throws ApiError; AbortError when the signal fires. */
export const ask = async <Answer>(
  path: string,
  params: Params,
  signal: AbortSignal
): Promise<Answer> => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    for (const one of value === undefined ? [] : [value].flat()) query.append(name, one)
  }
  const response = await send(query.size === 0 ? path : `${path}?${query}`, { signal })
  return (await response.json()) as Answer
}

/** Runs a query; the answer is read by whoever knows its format. @throws as `ask` does. */
export const runQuery = (query: string, format: string, signal: AbortSignal): Promise<Response> =>
  send('/v1/sql', {
    method: 'POST',
    signal,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, format, limit: format === 'json' ? ROWS_SHOWN : ROWS_SAVED_MAX })
  })

/** As many rows as one looks through. */
export const ROWS_SHOWN = 100
/** What the API gives at most. */
const ROWS_SAVED_MAX = 1_000_000

type Request = Omit<RequestInit, 'headers'> & {
  signal: AbortSignal
  headers?: Record<string, string>
}

const send = async (path: string, request: Request): Promise<Response> => {
  const key = sessionStorage.getItem(KEY)
  const headers = {
    ...request.headers,
    ...(key === null ? {} : { authorization: `Bearer ${key}` })
  }
  const response = await fetch(path, { ...request, headers }).catch((cause: unknown) => {
    if (request.signal.aborted) throw cause
    throw new ApiError(UNREACHABLE)
  })
  if (!response.ok) throw new ApiError(await problemOf(response))
  return response
}

const UNREACHABLE: Problem = {
  status: 0,
  title: 'The server does not answer',
  detail: 'It may have stopped, or the network between has.',
  code: 'E_UNREACHABLE',
  hint: 'It is asked again every few seconds.'
}

const problemOf = async (response: Response): Promise<Problem> => {
  const text = await response.text()
  try {
    return JSON.parse(text) as Problem
  } catch {
    return {
      status: response.status,
      title: response.statusText,
      detail: text.slice(0, 500),
      code: `HTTP_${response.status}`
    }
  }
}
