import { SETTINGS } from '../../services/signals/retry-spend/settings.ts'
import type { ScoreSize } from './cache-thrash.ts'
import type { ScoreRow } from './page.ts'
import { scoreShare } from './share-score.ts'

/** Operating figures of retry-spend on worlds with known truth; its constants were tuned on seeds below 10. */
export function* scoreRetrySpend(size: ScoreSize): Generator<string, ScoreRow> {
  return yield* scoreShare(
    {
      id: 'retry-spend',
      usual: 0.04,
      risen: [0.1, 0.3],
      settings: SETTINGS,
      series: 2,
      firstSeed: 41000
    },
    size
  )
}
