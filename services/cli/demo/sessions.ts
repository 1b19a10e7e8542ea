import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import type { UsageEvent } from '../../../schemas/event.ts'

/** The recorded hours that ship with the product; NOTICE.md beside them says where they are from. */
export type Recording = 'control' | 'shifted'

const Row = z.strictObject({
  t_s: z.number(),
  tenant: z.string(),
  session: z.string(),
  model: z.string(),
  input_tokens: z.int(),
  cache_read_tokens: z.int(),
  output_tokens: z.int(),
  api_time_s: z.number().nullable(),
  ttft_s: z.number().nullable(),
  stop: z.string().nullable(),
  prefix_ladder: z.array(z.string())
})

/** Tokens in a block of the recorded hash ladders. */
const BLOCK_TOKENS = 64
const MS_PER_S = 1000

/** The requests of a recording as native events, the first one at `startMs`. */
export const recordedEvents = async (
  recording: Recording,
  startMs: number
): Promise<UsageEvent[]> => {
  const bytes = await readFile(new URL(`${recording}.jsonl.gz`, import.meta.url))
  return gunzipSync(bytes)
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line, index) => toEvent(Row.parse(JSON.parse(line)), { recording, startMs, index }))
}

type Place = { recording: Recording; startMs: number; index: number }

const toEvent = (row: z.infer<typeof Row>, { recording, startMs, index }: Place): UsageEvent => ({
  id: `${recording}-${index}`,
  source: 'demo',
  time: new Date(startMs + Math.round(row.t_s * MS_PER_S)).toISOString(),
  tenant: row.tenant,
  kind: 'llm',
  conversation_id: row.session,
  provider: 'anthropic',
  request_model: row.model,
  response_model: row.model,
  route: 'coding-agent',
  cache_pool: 'shared',
  duration_ms: milliseconds(row.api_time_s),
  ttft_ms: milliseconds(row.ttft_s),
  // The recording writes an empty word where the provider gave no reason.
  stop_reason: row.stop === '' ? null : row.stop,
  tokens: {
    in_uncached: row.input_tokens - row.cache_read_tokens,
    in_cache_read: row.cache_read_tokens,
    out_text: row.output_tokens
  },
  prefix: { blocks: row.prefix_ladder, block_tokens: BLOCK_TOKENS }
})

const milliseconds = (seconds: number | null): number | null =>
  seconds === null ? null : Math.round(seconds * MS_PER_S)
