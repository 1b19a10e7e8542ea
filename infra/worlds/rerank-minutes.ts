import type { Minute } from '../../services/signals/define.ts'
import type { RankedQuery } from './rerank.ts'

/** The queries of one tenant and minute as the signal's grain gives them. */
export const rerankMinute = (
  startMs: number,
  queries: readonly RankedQuery[],
  tenant = 'acme'
): Minute => ({
  startMs,
  grains: {
    traces: {
      rows: queries.length,
      series: new Int32Array(queries.length),
      keys: [[tenant, 'docs']],
      measures: {
        time_ms: Float64Array.from(queries, ({ ms }) => ms),
        candidates: Float64Array.from(queries, ({ candidates }) => candidates)
      },
      texts: {
        id: queries.map((_, n) => String(n)),
        served_by: queries.map(() => 'm'),
        query: queries.map(({ query }) => query),
        documents: queries.map(({ documents }) => documents.join('\u001f')),
        scores: queries.map(({ scores }) => scores.join(' '))
      }
    }
  }
})
