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
  const key = sessionStorage.getItem(KEY)
  const response = await fetch(query.size === 0 ? path : `${path}?${query}`, {
    signal,
    headers: key === null ? {} : { authorization: `Bearer ${key}` }
  }).catch((cause: unknown) => {
    if (signal.aborted) throw cause
    throw new ApiError(UNREACHABLE)
  })
  if (!response.ok) throw new ApiError(await problemOf(response))
  return (await response.json()) as Answer
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
