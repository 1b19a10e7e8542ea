import { z } from 'zod'
import type { Head } from '../../services/lake/commit.ts'
import { Manifest } from './manifest.ts'
import { monthAt, parseMonth } from './month.ts'

/** Closed months, as the lake's state keeps them. */

const PREFIX = 'close/'

export const closeKey = (month: string): string => `${PREFIX}${month}`

export const Close = z.object({
  manifest: Manifest,
  manifest_sha256: z.string(),
  closed_at: z.string()
})
export type Close = z.infer<typeof Close>

/** Months that are closed, oldest first. */
export const closedMonths = (head: Head): string[] =>
  [...head.state.keys()]
    .filter((key) => key.startsWith(PREFIX))
    .map((key) => key.slice(PREFIX.length))
    .toSorted()

export const closeOf = (head: Head, month: string): Close | null => {
  const value = head.state.get(closeKey(month))
  return value === undefined ? null : Close.parse(value)
}

/** The month that takes corrections of a closed one: the first open one after the last close. */
export const openMonth = (head: Head, month: string): string => {
  const last = closedMonths(head).at(-1) ?? month
  return monthAt(parseMonth(last > month ? last : month).toMs).name
}
