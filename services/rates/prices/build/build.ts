import { createHash } from 'node:crypto'
import type { BookRow } from '../book-row.ts'
import { genaiModels } from './genai.ts'
import { readHistory, RELEASES } from './history.ts'
import { litellmRows } from './litellm.ts'
import { withWitness } from './llm-prices.ts'
import { mergeTables } from './merge.ts'
import { shareRows, writeBook } from './write.ts'

/** The tables that a book is built from, as text, and what they are. */
export type BookSources = {
  litellm: { text: string; version: string }
  genai: { text: string; version: string; date: string }
  /** Older releases of LiteLLM's table, NDJSON; may be empty. */
  history: string
  /** Dated list prices to compare with, CSV; may be empty. */
  witness: string
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Builds the text of a book. Pure: same sources, same bytes. */
export const buildBook = ({ litellm, genai, history, witness }: BookSources): string => {
  const litellmDate = RELEASES[litellm.version] ?? genai.date
  const rows: BookRow[] = mergeTables({
    litellm: litellmRows(JSON.parse(litellm.text)),
    genai: genaiModels(JSON.parse(genai.text)),
    history: readHistory(history),
    litellmDate
  })
  const header = {
    book: 'tallystream-prices' as const,
    date: litellmDate,
    sources: [
      {
        id: 'litellm',
        version: litellm.version,
        date: litellmDate,
        sha256: sha256(litellm.text),
        licence: 'MIT, Copyright (c) 2023 Berri AI'
      },
      {
        id: 'genai-prices',
        version: genai.version,
        date: genai.date,
        sha256: sha256(genai.text),
        licence: 'MIT, Copyright (c) Pydantic Services Inc. 2025 to present'
      }
    ]
  }
  const checked = withWitness(rows, witness, { header, asOf: litellmDate })
  return writeBook(header, shareRows(checked))
}
