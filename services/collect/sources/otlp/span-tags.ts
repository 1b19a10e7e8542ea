import { label } from '../../label.ts'
import type { Attributes, AttributeValue } from './attributes.ts'
import { TAG_PREFIXES } from './field-names.ts'

/** Labels are for slicing: more of them, or longer ones, are a document. */
const TAGS_MAX = 32
const TAG_LENGTH_MAX = 256

/** Labels that users put on a span under one of the known prefixes; null without any. */
export const spanTags = (attributes: Attributes): Record<string, string> | null => {
  const tags: [string, string][] = []
  for (const name of attributes.names()) {
    const prefix = TAG_PREFIXES.find((one) => name.startsWith(one))
    if (prefix === undefined) continue
    const key = label(name.slice(prefix.length))
    const text = label(scalarText(attributes.get(name)))?.slice(0, TAG_LENGTH_MAX)
    if (key !== null && key !== '__proto__' && text !== undefined) tags.push([key, text])
    if (tags.length >= TAGS_MAX) break
  }
  return tags.length === 0 ? null : Object.fromEntries(tags)
}

const scalarText = (value: AttributeValue | undefined): string | null =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : null
