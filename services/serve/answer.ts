import { createHash } from 'node:crypto'
import type { Document } from './route.ts'

/** What goes over the wire; `version` of the lake is null where no lake was read. */
export type Answer = Document & { version: number | null; etag: string }

const JSON_TYPE = 'application/json'

export const seal = (result: unknown, version: number | null): Answer => {
  const document = isDocument(result)
    ? result
    : { mediaType: JSON_TYPE, body: JSON.stringify(result) }
  const etag = `"${createHash('sha256').update(document.body).digest('base64url').slice(0, 22)}"`
  return { ...document, version, etag }
}

const isDocument = (result: unknown): result is Document =>
  typeof result === 'object' && result !== null && 'mediaType' in result && 'body' in result
