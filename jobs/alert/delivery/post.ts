import type { ChannelDoors, Outcome } from '../channel.ts'

/** A receiver that takes longer is taken for dead; Standard Webhooks advises 15 to 30 s. */
const ANSWER_MS_MAX = 15_000
/** As much of an answer as helps to see what is wrong. */
const REASON_CHARACTERS_MAX = 300
/** 4xx that speak of the moment and not of the message: timeout, too early, too many. */
const PASSING = [408, 425, 429]

export type Post = {
  url: string
  body: string
  headers: Readonly<Record<string, string>>
  signal: AbortSignal
}

/** Posts once and says what became of it. Redirects are not followed: they would drop the body. */
export const post = async (
  { fetch, clock }: Pick<ChannelDoors, 'fetch' | 'clock'>,
  { url, body, headers, signal }: Post
): Promise<Outcome> => {
  try {
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS_MAX)])
    })
    return judge(response, await readStart(response), clock().getTime())
  } catch (error) {
    return { kind: 'retry', reason: unreachable(error), retryAfterMs: null }
  }
}

/** The start of the answer; the rest is never read, however long it is. */
const readStart = async (response: Response): Promise<string> => {
  if (response.body === null) return ''
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length >= REASON_CHARACTERS_MAX) break
  }
  return text.slice(0, REASON_CHARACTERS_MAX)
}

const judge = ({ status, headers }: Response, text: string, nowMs: number): Outcome => {
  if (status >= 200 && status < 300) return { kind: 'delivered' }
  const reason = `HTTP ${status} ${text}`.trim()
  if (status < 500 && !PASSING.includes(status)) return { kind: 'rejected', reason }
  return { kind: 'retry', reason, retryAfterMs: readRetryAfter(headers.get('retry-after'), nowMs) }
}

/** Seconds or an HTTP date, as RFC 9110 §10.2.3 has it; null when absent or unreadable. */
export const readRetryAfter = (header: string | null, nowMs: number): number | null => {
  if (header === null) return null
  if (/^\d+$/.test(header.trim())) return Number(header) * 1_000
  const atMs = Date.parse(header)
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs)
}

const unreachable = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : ''
  return `${error.message}${cause}`.slice(0, REASON_CHARACTERS_MAX)
}
