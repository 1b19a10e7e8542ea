import type { Event } from './answers.ts'

/** Fields that a call may carry, and what cannot be told without them. */
export type Unlock = { field: string; lets: string }

type Rule = Unlock & { columns: readonly string[]; kinds?: readonly string[] }

const CALLS = ['llm', 'embedding']

const RULES: readonly Rule[] = [
  { field: 'tokens', columns: ['in_total', 'out_total'], lets: 'cost and energy', kinds: CALLS },
  {
    field: 'tokens.in_cache_read',
    columns: ['in_cache_read'],
    lets: 'cache hit rate',
    kinds: CALLS
  },
  {
    field: 'prefix.blocks',
    columns: ['prefix_blocks'],
    lets: 'who pushes whom out of a shared cache',
    kinds: CALLS
  },
  {
    field: 'local',
    columns: ['local_in', 'local_out'],
    lets: 'drift between your count and the provider’s',
    kinds: CALLS
  },
  { field: 'request_id', columns: ['request_id'], lets: 'one call in the provider’s own records' },
  {
    field: 'trace_id, span_id',
    columns: ['trace_id'],
    lets: 'the tree of calls, and agents that loop'
  },
  { field: 'operation_id, attempt', columns: ['operation_id'], lets: 'what retries cost' },
  { field: 'duration_ms', columns: ['duration_ms'], lets: 'latency' },
  { field: 'status', columns: ['status', 'error_type'], lets: 'failures' }
]

/** What is missing of an event, most useful first; an event that has it all unlocks nothing more. */
export const unlocksOf = (event: Event): Unlock[] =>
  RULES.filter(
    ({ columns, kinds }) =>
      (kinds === undefined || kinds.includes(event.kind)) &&
      columns.every((column) => event[column] === undefined || event[column] === null)
  ).map(({ field, lets }) => ({ field, lets }))
