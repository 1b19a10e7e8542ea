import { answerText, pieceOf } from '../collect/count/answer-text.ts'
import { addFacts, noFacts, type ResponseFacts } from './response-facts.ts'

/** What was seen of a response by the time it ended. */
export type Seen = ResponseFacts & {
  /** First part of the answer, in milliseconds of the clock; null when none came. */
  firstMs: number | null
  /** Text of the answer, for counting; never sent. */
  text: string | null
  /** Whether the application let it end. */
  whole: boolean
}

/** Reads a body on its way to the application: a stream's events one by one, a JSON body at its end. */
export type BodyReader = { add: (chunk: Uint8Array) => void; end: (whole: boolean) => Seen }

/** JSON bodies beyond it are passed on unread. */
const BODY_BYTES_MAX = 16 * 1024 * 1024

export const bodyReader = (isStream: boolean, now: () => number): BodyReader => {
  const facts = noFacts()
  const pieces: string[] = []
  const decoder = new TextDecoder()
  let rest = ''
  let bytes = 0
  let firstMs: number | null = null
  let isOver = false
  const line = (text: string): void => {
    if (!text.startsWith('data:')) return
    const data = text.slice('data:'.length).trim()
    isOver ||= data === '[DONE]'
    const event = parsed(data)
    addFacts(facts, event)
    const piece = pieceOf(event)
    if (piece !== null) pieces.push(piece)
  }
  return {
    add: (chunk) => {
      firstMs ??= now()
      bytes += chunk.length
      if (bytes > BODY_BYTES_MAX && !isStream) return
      rest += decoder.decode(chunk, { stream: true })
      if (!isStream) return
      const lines = rest.split(/\r\n|\n|\r/)
      rest = lines.pop() ?? ''
      for (const text of lines) line(text)
    },
    end: (whole) => {
      if (isStream) line(rest)
      else addFacts(facts, parsed(rest))
      // SDKs leave off once they have read the last event that means anything to them.
      const complete = facts.stop_reason !== null && facts.usage !== null
      const text = isStream ? pieces.join('') || null : answerText(parsed(rest))
      return { ...facts, firstMs, text, whole: whole || complete || isOver }
    }
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}

/** Told of every chunk and, once, of the end: whether the application let the body end. */
export type BodyWatch = { chunk: (bytes: Uint8Array) => void; end: (whole: boolean) => void }

/** The response with a body that is watched as it passes by; the application's cancelling ends it. */
export const watched = (response: Response, watch: BodyWatch): Response => {
  const source = response.body?.getReader()
  if (source === undefined) {
    watch.end(true)
    return response
  }
  let isEnded = false
  const end = (whole: boolean): void => {
    if (!isEnded) watch.end(whole)
    isEnded = true
  }
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { done, value } = await source.read().catch((error: unknown) => {
        end(false)
        throw error
      })
      if (value !== undefined) {
        watch.chunk(value)
        controller.enqueue(value)
      }
      if (!done) return
      end(true)
      controller.close()
    },
    cancel: async (reason) => {
      end(false)
      await source.cancel(reason)
    }
  })
  const { status, statusText, headers, url } = response
  const copy = new Response(body, { status, statusText, headers })
  return Object.defineProperty(copy, 'url', { value: url })
}
