import { z } from 'zod'
import { Failure } from '../../schemas/failure.ts'

/** Where the next page of a list goes on: opaque to clients, checked like any other input. */

/** What a person looks through, and what a program may take at once. */
const PAGE_DEFAULT = 50
const PAGE_MAX = 1000

export const PageQuery = {
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(PAGE_MAX)
    .default(PAGE_DEFAULT)
    .describe('Rows a page.'),
  cursor: z.string().max(1000).optional().describe('`next` of the page before.')
}

export const NextCursor = z.string().nullable().describe('Cursor of the next page; null = none.')

export const writeCursor = (position: unknown): string =>
  Buffer.from(JSON.stringify(position)).toString('base64url')

/** @throws Failure E_USAGE when it is none of ours. */
export const readCursor = <Position>(
  cursor: string | undefined,
  schema: z.ZodType<Position>
): Position | null => {
  if (cursor === undefined) return null
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')))
  } catch (cause) {
    throw new Failure('E_USAGE', 'the cursor is none that this list gave', {
      cause,
      hint: 'Pass `next` of the page before as it is.'
    })
  }
}
