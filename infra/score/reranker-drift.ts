import signal from '../../services/signals/reranker-drift/signal.ts'
import { rerankMinute } from '../worlds/rerank-minutes.ts'
import { drawRerankTenants, playReranks, type RerankChange } from '../worlds/rerank.ts'
import type { ScoreSize } from './cache-thrash.ts'
import type { ScoreRow } from './page.ts'
import { scoreWorld } from './world-score.ts'
import type { World } from './world.ts'

/** Mixes of queries that are no finding, and rerankers or retrievers that changed. */

const START_MS = Date.parse('2026-03-02T00:00:00Z')
const TENANTS = drawRerankTenants(400, 11)

type What = Omit<RerankChange, 'minute'>

const WORLD: World<What> = {
  name: 'Queries that differ by hour',
  signal,
  limits: { side: 'low', fixed: null, fifteen: 0.67, sixty: 0.67, what: 'top score' },
  startMs: START_MS,
  warmDays: 7,
  changes: [
    {
      name: 'scores 2 sd lower',
      what: { shift: -2, replaced: 0 },
      isRight: ({ after }) => after['mechanism'] === 'reranker'
    },
    {
      name: 'scores 1 sd lower',
      what: { shift: -1, replaced: 0 },
      isRight: ({ after }) => after['mechanism'] === 'reranker'
    },
    {
      name: '80 % of documents replaced, queries repeat',
      what: { shift: 0, replaced: 0.8 },
      isRight: ({ after }) => after['mechanism'] === 'retriever',
      // Without a query that comes again nothing tells other documents from other queries.
      applies: (index) => TENANTS[index]!.repeatShare > 0
    }
  ],
  play: ({ index, days, change, seed }, visit) => {
    const run = {
      tenant: TENANTS[index]!,
      startMs: START_MS,
      days,
      change: change === null ? null : { minute: change.minute, ...change.what },
      seed
    }
    playReranks(run, (minuteMs, queries) => {
      visit(rerankMinute(minuteMs, queries), () => ({
        value: queries.reduce((sum, { scores }) => sum + scores[0]!, 0) / queries.length,
        n: queries.length
      }))
    })
  }
}

export const scoreRerankerDrift = (size: ScoreSize): Generator<string, ScoreRow> =>
  scoreWorld(WORLD, size)
