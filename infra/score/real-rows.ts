import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Draft, Signal } from '../../services/signals/define.ts'
import { createColumns, type GrainRow } from '../worlds/grain-rows.ts'

/** Recorded data beside the checkout, and its rows folded through a signal. */

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
