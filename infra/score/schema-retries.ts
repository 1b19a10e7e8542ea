import { SETTINGS } from '../../services/signals/schema-retries/settings.ts'
import type { ScoreSize } from './cache-thrash.ts'
import type { ScoreRow } from './page.ts'
import { scoreShare } from './share-score.ts'

/** Operating figures of schema-retries on worlds with known truth; its constants were tuned on seeds below 10. */
export function* scoreSchemaRetries(size: ScoreSize): Generator<string, ScoreRow> {
  return yield* scoreShare(
    {
      id: 'schema-retries',
      usual: 0.04,
      risen: [0.1, 0.3],
      settings: SETTINGS,
      series: 2,
      firstSeed: 40000
    },
    size
  )
}
