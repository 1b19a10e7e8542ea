import { SETTINGS } from '../../services/signals/route-mix/settings.ts'
import type { ScoreSize } from './cache-thrash.ts'
import type { ScoreRow } from './page.ts'
import { scoreShare } from './share-score.ts'

/** Operating figures of route-mix on worlds with known truth; its constants were tuned on seeds below 10. */
export function* scoreRouteMix(size: ScoreSize): Generator<string, ScoreRow> {
  return yield* scoreShare(
    {
      id: 'route-mix',
      usual: 0.05,
      risen: [0.15, 0.4],
      settings: SETTINGS,
      series: 4,
      firstSeed: 42000
    },
    size
  )
}
