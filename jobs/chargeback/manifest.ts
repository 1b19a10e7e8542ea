import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { TableName } from '../../schemas/tables.ts'
import type { LiveFile, TableFile } from '../../services/lake/commit.ts'

/**
 * What a closed month rests on and what came out, by hashes. No clock and no file name is in it:
 * closing again, or on after a crash, gives the same bytes.
 */

const Digest = z.object({ files: z.int(), rows: z.int(), sha256: z.string() })
export type Digest = z.infer<typeof Digest>

export const Manifest = z.object({
  format: z.literal('tallystream-close-1'),
  month: z.string(),
  /** Version of the lake that was read; it is pinned. */
  lake_version: z.int(),
  generation: z.string(),
  price_book: z.object({ version: z.string(), date: z.string(), contracts: z.int() }),
  /** SHA-256 of the allocation rules; null = none were given. */
  rules_sha256: z.string().nullable(),
  /** What was read and what was written, by table. */
  inputs: z.record(z.string(), Digest),
  outputs: z.record(z.string(), Digest),
  totals: z.object({
    bill_cents: z.string(),
    tenants_cents: z.string(),
    unallocated_cents: z.string(),
    bill_usd: z.string()
  }),
  /** Checks that failed and were signed off. */
  signed_off: z.array(z.object({ check: z.string(), seen: z.string() })),
  signed_by: z.string().nullable()
})
export type Manifest = z.infer<typeof Manifest>

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Identity of a set of files, whatever they are called. */
export const digestOf = (files: readonly Pick<TableFile, 'sha256' | 'rows'>[]): Digest => ({
  files: files.length,
  rows: files.reduce((rows, file) => rows + file.rows, 0),
  sha256: sha256(
    files
      .map((file) => file.sha256)
      .toSorted()
      .join('\n')
  )
})

/** Digests of the live files of some tables. */
export const digestsOf = (
  files: ReadonlyMap<TableName, ReadonlyMap<string, LiveFile>>,
  tables: readonly TableName[],
  passes: (file: LiveFile) => boolean
): Record<string, Digest> =>
  Object.fromEntries(
    tables.map((table) => [table, digestOf([...(files.get(table)?.values() ?? [])].filter(passes))])
  )

export const manifestText = (manifest: Manifest): string => `${JSON.stringify(manifest, null, 2)}\n`
