import type { FailureCode } from '../../schemas/failure.ts'

/** What is wrong with one item of a message: which item, which field, what was seen there. */
export type Fault = {
  code: FailureCode
  /** Number of the item in its message, from 0. */
  index: number
  /** Where the item is, in the terms of its dialect: `[3]`, `line 4`, `spans[2]`. */
  at: string
  /** Path of the field: `tokens.in_uncached`; null when the item as a whole is at fault. */
  field: string | null
  /** The value seen, as JSON, cut short; null when there is none. */
  seen: string | null
  /** The known field or value that comes nearest to an unknown one. */
  nearest: string | null
  message: string
}

/** Enough to recognise a value, too little to leak a document. */
const SEEN_LENGTH_MAX = 80

/** A value as it may be repeated in an error: JSON, cut short; null when there is none. */
export const seenValue = (value: unknown): string | null => {
  if (value === undefined) return null
  const text = typeof value === 'bigint' ? String(value) : JSON.stringify(value)
  return text.length > SEEN_LENGTH_MAX ? `${text.slice(0, SEEN_LENGTH_MAX)}…` : text
}

export type FaultDetail = Pick<Fault, 'code' | 'message'> &
  Partial<Pick<Fault, 'field' | 'nearest'>> & { value?: unknown }

export const faultAt = (place: { index: number; at: string }, detail: FaultDetail): Fault => ({
  code: detail.code,
  index: place.index,
  at: place.at,
  field: detail.field ?? null,
  seen: seenValue(detail.value),
  nearest: detail.nearest ?? null,
  message: detail.message
})
