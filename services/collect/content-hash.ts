import { createHash } from 'node:crypto'

/** 128 bits: no collision among the prompts of a fleet, half the length of the full digest. */
const HASH_HEX_LENGTH = 32

/**
 * Identity of content that is not kept. JSON is hashed with its keys sorted, so that the same
 * arguments in another order are the same.
 */
export const contentHash = (content: unknown): string => {
  const text = JSON.stringify(sortKeys(parsedContent(content))) ?? 'null'
  return createHash('sha256').update(text).digest('hex').slice(0, HASH_HEX_LENGTH)
}

/** Deeper content is hashed as the text it is. */
const DEPTH_MAX = 64

const parsedContent = (content: unknown): unknown => {
  if (typeof content !== 'string' || !/^\s*[{[]/.test(content)) return content
  try {
    return JSON.parse(content) as unknown
  } catch {
    return content
  }
}

const sortKeys = (value: unknown, depth = 0): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if (depth > DEPTH_MAX) return '…'
  if (Array.isArray(value)) return value.map((item) => sortKeys(item, depth + 1))
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, item]) => [key, sortKeys(item, depth + 1)]))
}
