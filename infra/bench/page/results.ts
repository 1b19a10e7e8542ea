import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'

/** One run of a racer or a stage, as all of them print it. */
export type RaceRun = {
  peer: string
  events: number
  wall_s: number
  cpu_s: number
  events_per_cpu_s: number
  windows: number
  peak_memory_mib?: number
  /** In text: it has more digits than a double holds. */
  checksum: string
}

/** Of `2026-12-01`. */
const DAY_LENGTH = 10

/** Lines of a file of results, as they are; null where the part was not run. */
export const readText = async (folder: string, name: string): Promise<string | null> => {
  const text = await readFile(path.join(folder, name), 'utf8').catch(() => null)
  return text === null || text.trim() === '' ? null : text.trimEnd()
}

/** Day in UTC on which a file of results was written; null where the part was not run. */
export const dayOf = async (folder: string, name: string): Promise<string | null> => {
  const found = await stat(path.join(folder, name)).catch(() => null)
  return found === null ? null : found.mtime.toISOString().slice(0, DAY_LENGTH)
}

export const readLines = async <Line>(folder: string, name: string): Promise<Line[] | null> => {
  const text = await readText(folder, name)
  if (text === null) return null
  return text.split('\n').map((line) => JSON.parse(quotedChecksum(line)) as Line)
}

const quotedChecksum = (line: string): string =>
  line.replace(/"checksum":(\d+)/, (_, digits: string) => `"checksum":"${digits}"`)

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return Number.isInteger(middle)
    ? (sorted[middle - 1]! + sorted[middle]!) / 2
    : sorted[Math.floor(middle)]!
}

/** A table in Markdown. */
export const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  [heads, heads.map((_, index) => (index === 0 ? '---' : '---:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')

export const grouped = (value: number): string => Math.round(value).toLocaleString('en-US')
