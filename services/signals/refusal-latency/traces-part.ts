import { RECORD_ARRAYS, recordArrays, recordsFrom } from '../statistics/checkpoint.ts'
import type { Part } from '../statistics/state-parts.ts'
import {
  createOpenTraces,
  createWords,
  indexTraces,
  STEP_SHAPE,
  TRACE_SHAPE,
  type OpenTraces
} from './traces.ts'

type Saved = { words: string[]; traces: number; steps: number }

/** Open traces as bytes and back. */
export const tracesPart: Part<OpenTraces> = {
  save: ({ traces, steps, words }) => ({
    json: { words: words.texts, traces: traces.size, steps: steps.size } satisfies Saved,
    arrays: [...recordArrays(traces), ...recordArrays(steps)]
  }),
  restore: (json, arrays) => {
    const saved = json as Saved
    const open: OpenTraces = {
      ...createOpenTraces(),
      traces: recordsFrom(TRACE_SHAPE, saved.traces, arrays.splice(0, RECORD_ARRAYS)),
      steps: recordsFrom(STEP_SHAPE, saved.steps, arrays.splice(0, RECORD_ARRAYS)),
      words: createWords(saved.words)
    }
    indexTraces(open)
    return open
  }
}
