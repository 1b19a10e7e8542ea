import type { Answer, Outcome, Source } from '../sources/source.ts'
import { PROBLEM_TYPE, type Problem } from '../../../schemas/problem.ts'
import { faultsProblem } from './problem.ts'

const JSON_TYPE = 'application/json'

export const jsonAnswer = (status: number, value: unknown): Answer => ({
  status,
  mediaType: JSON_TYPE,
  body: JSON.stringify(value)
})

export const problemAnswer = (problem: Problem): Answer => ({
  status: problem.status,
  mediaType: PROBLEM_TYPE,
  body: JSON.stringify(problem)
})

/** The answer to a request whose good items are durable. */
export const outcomeAnswer = (source: Source, outcome: Outcome, mediaType: string): Answer => {
  if (source.answer !== undefined) return source.answer(outcome, mediaType)
  const { accepted, ignored, faults } = outcome
  if (faults.length === 0) return jsonAnswer(200, { accepted, ignored })
  const problem = faultsProblem(faults, accepted)
  if (accepted === 0) return problemAnswer(problem)
  const refused = new Set(faults.map(({ index }) => index)).size
  return jsonAnswer(200, { accepted, ignored, refused, errors: problem.errors })
}
