import { packColumns, unpackColumns } from '../statistics/packed-columns.ts'
import type { Part } from '../statistics/state-parts.ts'
import { createRows, usedNumbers, type Rows } from './rows.ts'
import { createOpenTraces, createWords, indexRows, S, T, type OpenTraces } from './traces.ts'

type Saved = { words: string[]; traces: number; steps: number }

/** Open traces as bytes and back. */
export const tracesPart: Part<OpenTraces> = {
  save: ({ traces, steps, words }) => {
    const saved: Saved = { words: words.texts, traces: traces.rows, steps: steps.rows }
    return { json: saved, arrays: [packRows(traces), packRows(steps)] }
  },
  restore: (json, arrays) => {
    const [traces, steps] = arrays.splice(0, 2) as [Uint8Array, Uint8Array]
    const saved = json as Saved
    const open: OpenTraces = {
      ...createOpenTraces(),
      traces: unpackRows(traces, saved.traces, T.stride),
      steps: unpackRows(steps, saved.steps, S.stride),
      words: createWords(saved.words)
    }
    indexRows(open)
    return open
  }
}

const packRows = (rows: Rows): Uint8Array =>
  packColumns({ values: usedNumbers(rows), stride: rows.stride })

const unpackRows = (packed: Uint8Array, count: number, stride: number): Rows => {
  const rows = createRows(stride, count)
  rows.rows = count
  unpackColumns(packed, { values: usedNumbers(rows), stride })
  return rows
}
