import { useEffect, useState } from 'preact/hooks'
import { ApiError, ask, type Params, type Problem } from './api.ts'

/** What is shown while data comes: it follows the lake without a hand on it. */
const POLL_MS = 5000

export type Asked<Answer> = {
  answer: Answer | null
  problem: Problem | null
  /** Since when a first answer is awaited, milliseconds since the epoch; null when none is. */
  waitingSinceMs: number | null
}

/**
 * Asks now and again; an answer stays on show until the next one is there. A poll whose answer has not
 * changed costs a 304.
 */
export const useAnswer = <Answer>(
  path: string,
  params: Params = {},
  pollMs = POLL_MS
): Asked<Answer> => {
  const question = JSON.stringify([path, params])
  const [asked, setAsked] = useState<Asked<Answer> & { question: string }>(fresh(question))
  useEffect(() => {
    const stop = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    setAsked((before) => (before.question === question ? before : fresh(question)))
    const look = async (): Promise<void> => {
      const next = await outcome<Answer>(path, params, stop.signal)
      if (stop.signal.aborted || next === null) return
      setAsked((before) => ({
        question,
        answer: next.problem?.status === 0 ? before.answer : next.answer,
        problem: next.problem,
        waitingSinceMs: null
      }))
      timer = setTimeout(() => void look(), pollMs)
    }
    void look()
    return () => {
      stop.abort()
      clearTimeout(timer)
    }
  }, [question, pollMs])
  return asked.question === question ? asked : fresh(question)
}

const fresh = <Answer>(question: string): Asked<Answer> & { question: string } => ({
  question,
  answer: null,
  problem: null,
  waitingSinceMs: Date.now()
})

const outcome = async <Answer>(
  path: string,
  params: Params,
  signal: AbortSignal
): Promise<{ answer: Answer | null; problem: Problem | null } | null> => {
  try {
    return { answer: await ask<Answer>(path, params, signal), problem: null }
  } catch (error) {
    if (signal.aborted) return null
    if (error instanceof ApiError) return { answer: null, problem: error.problem }
    throw error
  }
}
