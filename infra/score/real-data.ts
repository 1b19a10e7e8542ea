import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Draft, Signal } from '../../services/signals/define.ts'
import { createColumns, type GrainRow } from '../worlds/grain-rows.ts'
import type { ScoreRow } from './page.ts'
import { scoreAgents } from './real-agents.ts'
import { scoreClients, scoreRerankers } from './real-series.ts'
import { scoreStructured } from './real-structured.ts'
import { scoreBilledCounts, scoreLanguages } from './real-tokens.ts'

/** What the signals say of recorded data whose truth is known: who must be told, and who must not. */

export const DATA = new URL('../../../shared/data/', import.meta.url)

/** Told of what is wrong, and silent on what is not. */
export type RealRow = { data: string; signal: string; told: string; silent: string }

export const readText = (path: string): string =>
  gunzipSync(readFileSync(new URL(path, DATA))).toString('utf8')

export const readJsonLines = <Line>(path: string): Line[] =>
  readText(path)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)

const MINUTE_MS = 60_000

/** Folds rows that carry `time_ms`, minute by minute; returns what fired. */
export const foldRows = (signal: Signal, rows: readonly GrainRow[]): Draft[] => {
  const columns = createColumns(signal.inputs.traces!)
  const byMinute = new Map<number, GrainRow[]>()
  for (const row of rows) {
    const minute = Math.floor(Number(row['time_ms']) / MINUTE_MS) * MINUTE_MS
    const own = byMinute.get(minute) ?? []
    own.push({ ...row, at_ms: Number(row['time_ms']) - minute })
    byMinute.set(minute, own)
  }
  const fold = signal.open()
  return [...byMinute]
    .sort(([a], [b]) => a - b)
    .flatMap(([startMs, own]) => fold.fold({ startMs, grains: { traces: columns(own) } }))
    .filter(({ status }) => status === 'firing')
}

export const ofAll = (part: number, all: number): string => `${part} of ${all}`

const PARTS: readonly (() => RealRow[])[] = [
  scoreStructured,
  scoreBilledCounts,
  scoreLanguages,
  scoreAgents,
  scoreRerankers,
  scoreClients
]

export function* scoreRealData(): Generator<string, ScoreRow | void> {
  if (!existsSync(DATA)) {
    yield 'The data is not beside the checkout.'
    return
  }
  const rows = PARTS.flatMap((part) => part())
  yield [
    '| data | signal | told, of what is wrong | silent, of what is not |',
    '|---|---|---|---|',
    ...rows.map(
      ({ data, signal, told, silent }) => `| ${data} | \`${signal}\` | ${told} | ${silent} |`
    )
  ].join('\n')
  return {
    detection: 'below, by data set',
    delay: '',
    falseFindings: 'below',
    attribution: 'below'
  }
}
